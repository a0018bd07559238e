/** The OpenAPI document of the admin API, from the same schemas that check requests and answers. */
import { z } from "zod";
import {
  createDocument,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponsesObject,
} from "zod-openapi";
import { CSRF_HEADER } from "../signin/api_session.ts";
import type { Endpoint } from "./endpoint.ts";
import { endpoints } from "./endpoints.ts";
import { errorSchema } from "./serve_endpoint.ts";

/** Where an endpoint of the table stands in the document. */
export function documentPath({ path }: Pick<Endpoint, "path">): string {
  return path.replaceAll(/:([a-z_]+)/g, "{$1}");
}

/** The document. @param version of the program */
export function openApiDocument(version: string): ReturnType<typeof createDocument> {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const endpoint of endpoints) {
    (paths[documentPath(endpoint)] ??= {})[endpoint.method.toLowerCase()] = operation(endpoint);
  }
  return createDocument({
    openapi: "3.1.0",
    info: {
      title: "Parley admin API",
      version,
      description: "Accounts, connections, calls and channels of one server.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    paths: paths as ZodOpenApiPathsObject,
    security: [{ apiToken: [] }, { session: [], csrf: [] }],
    components: {
      securitySchemes: {
        apiToken: { type: "http", scheme: "bearer", description: "The setting API_TOKEN." },
        session: { type: "apiKey", in: "cookie", name: "parley_session" },
        csrf: {
          type: "apiKey",
          in: "header",
          name: CSRF_HEADER,
          description: "With the cookie, for whatever changes something.",
        },
      },
    },
  });
}

function operation(endpoint: Endpoint): ZodOpenApiOperationObject {
  const { method, path, summary, description, params, query, body, upload, success } = endpoint;
  const parameters = { ...(params && { path: params }), ...(query && { query }) };
  return {
    operationId: `${method.toLowerCase()}${
      path.replace("/api/admin", "").replaceAll(/[/:_]+(\w)/g, (_, letter) => letter.toUpperCase())
    }`,
    tags: [path.split("/")[3]!],
    summary,
    ...(description !== undefined && { description }),
    ...(Object.keys(parameters).length > 0 && { requestParams: parameters }),
    ...(body !== undefined && {
      requestBody: { required: true, content: { "application/json": { schema: body } } },
    }),
    ...(upload !== undefined && {
      requestBody: { required: true, content: { [upload]: {} } },
    }),
    responses: {
      [success.status]: {
        description: success.description,
        ...(success.schema !== undefined && {
          content: { "application/json": { schema: success.schema } },
        }),
      },
      ...errors(endpoint),
    },
  };
}

function errors({ params, query, body, errors = {} }: Endpoint): ZodOpenApiResponsesObject {
  const takesInput = params !== undefined || query !== undefined || body !== undefined;
  const reasons = {
    ...(takesInput && { 400: "the path, query or body cannot be used" }),
    401: "neither the API token nor an administrator's session",
    403: "no administrator, or without the proof against forged requests",
    429: "too many wrong secrets from this address",
    ...errors,
    503: errors[503] ?? "the server or its database cannot answer right now",
  };
  const text = { "text/plain": { schema: z.string() } };
  const object = { "application/json": { schema: errorSchema } };
  return Object.fromEntries(
    Object.entries(reasons).map(([status, description]) => [status, {
      description,
      // What is refused before the API looks at it is refused with a text.
      content: { ...(status !== "429" && object), ...(/429|503/.test(status) && text) },
    }]),
  );
}
