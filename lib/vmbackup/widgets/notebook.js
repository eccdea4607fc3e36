// What every tool does in its notebook: it comes into view, says when the kernel is gone, and leaves a note for readers
// without one.

// "Run All Cells" goes to the last cell at once. What the operator opened the runbook for is here: it comes into view
// when it is ready and stays while the cells around it find their heights, unless somebody reads elsewhere.
function bringIntoView(element, ready) {
  const notebook = element.closest(".jp-Notebook");
  if (!notebook) return 0;
  const touches = ["wheel", "keydown", "pointerdown"];
  let left = 15;
  const stop = () => {
    clearInterval(looking);
    for (const each of touches) window.removeEventListener(each, stop, true);
  };
  const look = () => {
    if (!ready(notebook)) return;
    element.scrollIntoView({ block: "start" });
    if (--left === 0) stop();
  };
  const looking = setInterval(look, 200);
  for (const each of touches) window.addEventListener(each, stop, true);
  return looking;
}

function idle(notebook) {
  return ![...notebook.querySelectorAll(".jp-InputPrompt")].some((each) => each.textContent === "[*]:");
}

// The notebook's one-key shortcuts would otherwise take Enter, Space and letters away from a tool's controls; those with
// Ctrl, Alt or Command, saving among them, stay. The notebook listens on the document, so this must be heard earlier.
function keepKeys(tool) {
  const keys = (event) => {
    tool.toggleAttribute("data-lm-suppress-shortcuts", !(event.ctrlKey || event.altKey || event.metaKey));
  };
  window.addEventListener("keydown", keys, true);
  return () => window.removeEventListener("keydown", keys, true);
}

const GONE = ["restarting", "autorestarting", "terminating", "dead"];

// Once the kernel has ended, nothing behind the buttons answers any more. Gives what stops the watching.
function watchKernel(model, tool, say) {
  const session = model.widget_manager.context?.sessionContext;
  if (!session) return () => {};
  const end = () => {
    for (const each of tool.querySelectorAll("button, input, textarea, select")) each.disabled = true;
    say(model.get("dead"));
  };
  const onStatus = (_, status) => { if (GONE.includes(status)) end(); };
  const onKernel = (_, { newValue }) => { if (!newValue) end(); };
  session.statusChanged.connect(onStatus);
  session.kernelChanged.connect(onKernel);
  return () => {
    session.statusChanged.disconnect(onStatus);
    session.kernelChanged.disconnect(onKernel);
  };
}

// A saved notebook names the tool, but has no kernel that could show it: JupyterLab then shows what is noted here.
function leaveNote(model) {
  const notebook = model.widget_manager.context?.model;
  const value = document.createElement("p");
  value.textContent = model.get("note");
  const note = {
    model_name: "HTMLModel",
    model_module: "@jupyter-widgets/controls",
    model_module_version: "2.0.0",
    state: { value: value.outerHTML },
  };
  const state = { version_major: 2, version_minor: 0, state: { [model.get("tool")]: note } };
  const noted = { "application/vnd.jupyter.widget-state+json": state };
  if (JSON.stringify(notebook?.getMetadata?.("widgets")) !== JSON.stringify(noted)) notebook?.setMetadata?.("widgets", noted);
}
