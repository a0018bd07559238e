/** What an endpoint of the admin API is: one record, from which routes and documents are made. */
import type { z } from "zod";
import type { AuditActor } from "../../db/admin_store.ts";
import type { User } from "../../db/store.ts";
import type { Deed } from "../audit.ts";
import type { HttpDeps } from "../deps.ts";
import type { Exchange, Method } from "../route.ts";

/** Who calls the admin API. */
export interface Administrator {
  /** As the audit log names him. */
  readonly actor: AuditActor;
  /** Who is signed in; undefined for the holder of the API token. */
  readonly user: User | undefined;
}

/** What an endpoint's code is given: checked input, and who asks. */
export interface Call<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly administrator: Administrator;
  readonly exchange: Exchange;
  readonly deps: HttpDeps;
}

/** What came of a call. */
export interface Outcome<Answer> {
  readonly answer: Answer;
  /** What is written down: everything that changes something. */
  readonly deeds?: readonly Deed[];
}

/** An answer other than success, with the text for who asked. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  constructor(readonly status: ErrorStatus, message: string) {
    super(message);
  }
}

/** Statuses with which the API refuses, besides 401 and 403 for who may not ask at all. */
export type ErrorStatus = 400 | 403 | 404 | 409 | 413 | 422 | 503;

/** Description of one endpoint. */
export interface EndpointFacts<
  Params extends z.ZodObject,
  Query extends z.ZodObject,
  Body extends z.ZodType,
  Answer extends z.ZodType,
> {
  readonly method: Method;
  /** As the table of routes writes it: `/api/admin/users/:id`. */
  readonly path: string;
  /** One line, for people. */
  readonly summary: string;
  /** Further lines. */
  readonly description?: string;
  /** Parts of the path; texts in, checked values out. */
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  /** Type of a body that is no JSON, which `run` reads by itself. */
  readonly upload?: string;
  readonly success: {
    readonly status: 200 | 201 | 204;
    readonly description: string;
    /** Not for 204. */
    readonly schema?: Answer;
  };
  /** What else it answers, with the reason. */
  readonly errors?: Readonly<Partial<Record<ErrorStatus, string>>>;
  run(
    call: Call<z.output<Params>, z.output<Query>, z.output<Body>>,
  ): Promise<Outcome<z.input<Answer>>>;
}

/** An endpoint of any types. */
// deno-lint-ignore no-explicit-any -- the types are checked where each is written
export type Endpoint = EndpointFacts<any, any, any, any>;

/** A row of the API's table, with the types of its parts. */
export function endpoint<
  Params extends z.ZodObject,
  Query extends z.ZodObject,
  Body extends z.ZodType,
  Answer extends z.ZodType,
>(facts: EndpointFacts<Params, Query, Body, Answer>): Endpoint {
  return facts;
}
