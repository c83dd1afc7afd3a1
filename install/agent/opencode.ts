// stemma init wrote this file, stemma deinit takes it away.
// It tells stemma, where there is one, which tools OpenCode runs. It changes
// nothing, holds nothing up for more than a moment and never fails.
import { spawn } from "node:child_process"

const patience = 5000

function tell(payload: Record<string, unknown>): Promise<void> {
  return new Promise((resolve) => {
    try {
      const child = spawn("stemma", ["hook", "opencode"], { stdio: ["pipe", "ignore", "ignore"] })
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

export const Stemma = async ({ directory }: { directory?: string }) => {
  const args = new Map<string, unknown>()
  const say = (event: string, session: unknown, more: Record<string, unknown> = {}) =>
    tell({ hook_event_name: event, session_id: session, cwd: directory ?? process.cwd(), ...more })

  return {
    "tool.execute.before": async (input: any, output: any) => {
      if (args.size > 1000) args.clear()
      args.set(input?.callID, output?.args)
      await say("tool.execute.before", input?.sessionID, {
        tool_name: input?.tool,
        tool_use_id: input?.callID,
        tool_input: output?.args,
      })
    },
    "tool.execute.after": async (input: any) => {
      const toolInput = input?.args ?? args.get(input?.callID)
      args.delete(input?.callID)
      await say("tool.execute.after", input?.sessionID, {
        tool_name: input?.tool,
        tool_use_id: input?.callID,
        tool_input: toolInput,
      })
    },
    event: async ({ event }: { event: any }) => {
      if (event?.type === "session.created") await say("session.created", event?.properties?.info?.id)
      if (event?.type === "session.idle") await say("session.idle", event?.properties?.sessionID)
    },
  }
}
