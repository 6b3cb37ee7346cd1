// Requests to the server, and their problems, of which the last one is shown.

export async function requestJson(address, signal) {
  const answer = await fetch(address, { signal });
  if (!answer.ok) throw new Error((await answer.text()).trim() || `${address}: ${answer.status}`);
  return answer.json();
}

export function reportProblem(text) {
  const place = document.getElementById("problem");
  place.textContent = text;
  place.hidden = false;
}
