/** The name of one request in answers and logs. */

/** Header of requests and answers that holds it. */
export const REQUEST_ID = "x-request-id";

/** What is taken over from a proxy: nothing that could be more than a name in a line of the log. */
const GIVEN = /^[\w.:+/=@-]{1,64}$/;

/** The id that the request brings, where it is fit to be logged, or a new one. */
export function requestIdOf(headers: Headers): string {
  const given = headers.get(REQUEST_ID);
  return given !== null && GIVEN.test(given) ? given : crypto.randomUUID();
}
