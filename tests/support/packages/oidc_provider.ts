export { Provider } from "npm:oidc-provider@9.13.3";
