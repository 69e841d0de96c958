// The way to the demo's server, which is where this page came from.

export class Refused extends Error {}

async function read(response) {
  let body = {};
  try {
    body = await response.json();
  } catch {
    body = {};
  }
  if (!response.ok) throw Object.assign(new Refused(body.problem ?? `error ${response.status}`), { status: response.status });
  return body;
}

export async function ask(path, about = {}, signal = undefined) {
  return read(await fetch(`${path}?${new URLSearchParams(about)}`, { signal }));
}

// Gives what came of it; a problem comes back as `problem`, whatever it was.
export async function tell(deed, body) {
  try {
    const headers = { "Content-Type": "application/json" };
    return await read(await fetch(`do/${deed}`, { method: "POST", headers, body: JSON.stringify(body) }));
  } catch (error) {
    return { problem: error instanceof Refused ? error.message : "The demo does not answer. Is scribe demo still running?" };
  }
}
