/** What clients of 2025 are told of plan and models; later ones ask over HTTP. [rooms 4.5] */
import { wantsUserPlan } from "../../lib/app_version.ts";
import { PlanEnum } from "../../proto/mod.ts";
import { fieldOf } from "../turn.ts";
import type { UserContext } from "./context.ts";

/** `UpdateUserPlan`. */
export function planField(pro: boolean): Uint8Array {
  return fieldOf("UpdateUserPlan", {
    plan: pro ? PlanEnum.ZedPro : PlanEnum.Free,
    accountTooYoung: false,
  });
}

/** An administrator who acts as the user has the plan of staff all the same. [rooms 3.8] */
export function planChanged({ turn, user }: UserContext, pro: boolean): void {
  for (const { key, version, staff } of user.connections.values()) {
    if (wantsUserPlan(version)) turn.push(key, planField(pro || staff));
  }
}

/** [transport 6.2g] */
export function refreshModelTokens({ turn, user }: UserContext): void {
  const field = fieldOf("RefreshLlmToken", {});
  for (const { key, version } of user.connections.values()) {
    if (wantsUserPlan(version)) turn.push(key, field);
  }
}
