// @i-know-the-amp-plugin-api-is-wip-and-very-experimental-right-now
// stemma init wrote this file, stemma deinit takes it away.
// It tells stemma, where there is one, which tools Amp runs. It changes
// nothing, holds nothing up for more than a moment and never fails.
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"

const patience = 5000

function tell(payload: Record<string, unknown>): Promise<void> {
  return new Promise((resolve) => {
    try {
      const child = spawn("stemma", ["hook", "amp"], { stdio: ["pipe", "ignore", "ignore"] })
      const timer = setTimeout(() => {
        child.kill()
        resolve()
      }, patience)
      const done = () => {
        clearTimeout(timer)
        resolve()
      }
      child.on("error", done)
      child.on("close", done)
      child.stdin.on("error", () => {})
      child.stdin.end(JSON.stringify(payload))
    } catch {
      resolve()
    }
  })
}

function paths(amp: any, event: any): string[] {
  try {
    const uris = amp.helpers?.filesModifiedByToolCall?.(event) ?? []
    return uris.map((uri: any) => String(uri)).filter((uri: string) => uri.startsWith("file:")).map((uri: string) => fileURLToPath(uri))
  } catch {
    return []
  }
}

export default function stemma(amp: any) {
  const calls = new Map<string, Record<string, unknown>>()
  const say = (event: string, from: any, more: Record<string, unknown> = {}) =>
    tell({ hook_event_name: event, thread_id: from?.thread?.id ?? from?.threadID, cwd: process.cwd(), ...more })
  const on = (event: string, handler: (event: any, ctx: any) => Promise<unknown>) => {
    try {
      amp.on(event, handler)
    } catch {
      // an Amp that does not know this event
    }
  }

  on("session.start", async (event, ctx) => {
    await say("session.start", event?.thread ? event : ctx)
  })
  on("agent.start", async (event, ctx) => {
    await say("agent.start", event?.thread ? event : ctx)
  })
  on("agent.end", async (event, ctx) => {
    await say("agent.end", event?.thread ? event : ctx)
  })
  on("tool.call", async (event, ctx) => {
    const files = paths(amp, event)
    const call = {
      tool_name: event?.tool,
      tool_use_id: event?.toolUseID,
      tool_input: event?.input,
      ...(files.length > 0 ? { edited_filepaths: files } : {}),
    }
    if (calls.size > 1000) calls.clear()
    calls.set(event?.toolUseID, call)
    await say("tool.call", event?.thread ? event : ctx, call)
    return { action: "allow" }
  })
  on("tool.result", async (event, ctx) => {
    const call = calls.get(event?.toolUseID)
    calls.delete(event?.toolUseID)
    if (call) await say("tool.result", event?.thread ? event : ctx, call)
  })
}
