// The two things that the notebook's own widgets cannot do: a live region for screen readers, and the clipboard.

function status({ model, el }) {
  el.setAttribute("role", "status");
  el.setAttribute("aria-live", "polite");
  el.classList.add("vmbackup-status");
  const show = () => { el.textContent = model.get("text"); };
  show();
  model.on("change:text", show);

  // The notebook's one-key shortcuts would otherwise take Enter, Space and letters away from these controls; those with
  // Ctrl, Alt or Command, saving among them, stay. The notebook listens on the document, so this must be heard earlier.
  let tool = null;
  const keys = (event) => {
    const modified = event.ctrlKey || event.altKey || event.metaKey;
    if (tool) tool.toggleAttribute("data-lm-suppress-shortcuts", !modified);
  };
  window.addEventListener("keydown", keys, true);

  const prepare = () => {
    tool.setAttribute("role", "region");
    tool.setAttribute("aria-label", model.get("label"));
    for (const step of tool.querySelectorAll("button.vmbackup-step")) {
      const open = String(step.classList.contains("vmbackup-open"));
      if (step.getAttribute("aria-expanded") !== open) step.setAttribute("aria-expanded", open);
    }
  };
  let observer;
  const attach = () => {
    tool = el.closest(".vmbackup-guide");
    if (!tool) { timer = setTimeout(attach, 50); return; }
    prepare();
    observer = new MutationObserver(prepare);
    observer.observe(tool, { subtree: true, childList: true, attributes: true, attributeFilter: ["class"] });
  };
  let timer = setTimeout(attach, 0);
  return () => {
    clearTimeout(timer);
    window.removeEventListener("keydown", keys, true);
    if (observer) observer.disconnect();
  };
}

function copy({ model, el }) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "jupyter-widgets jupyter-button widget-button vmbackup-button";
  const show = () => { button.textContent = model.get("text"); };
  show();
  model.on("change:text", show);
  button.addEventListener("click", async () => {
    const area = document.createElement("textarea");
    try {
      await navigator.clipboard.writeText(model.get("content"));
    } catch {
      area.value = model.get("content");
      el.appendChild(area);
      area.select();
      document.execCommand("copy");
      area.remove();
      button.focus();
    }
    button.textContent = model.get("done");
    model.send({ copied: true });
    setTimeout(show, 3000);
  });
  el.appendChild(button);
}

export default {
  render(context) { return context.model.get("kind") === "copy" ? copy(context) : status(context); },
};
