// Requests to the demo's server, relative to the page's own address, which holds the token.

export class RequestError extends Error {}

async function read(response) {
  let body = {};
  try {
    body = await response.json();
  } catch (error) {
    // An error of the server itself has no JSON body. Any other answer was left, or is cut off, and is none.
    if (response.ok) throw error.name === "AbortError" ? error : new TypeError("The answer is cut off.");
  }
  if (!response.ok) throw Object.assign(new RequestError(body.problem ?? `error ${response.status}`), { status: response.status });
  return body;
}

// Throws RequestError for an error status, TypeError when the server is not reached.
export async function get(path, query = {}, signal = undefined) {
  return read(await fetch(`${path}?${new URLSearchParams(query)}`, { signal }));
}

// Never throws: every failure is returned as `problem`.
export async function post(action, body) {
  try {
    const headers = { "Content-Type": "application/json" };
    return await read(await fetch(`actions/${action}`, { method: "POST", headers, body: JSON.stringify(body) }));
  } catch (error) {
    return { problem: error instanceof RequestError ? error.message : "The demo does not answer. Is scribe demo still running?" };
  }
}
