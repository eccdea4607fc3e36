// What the notebook's own widgets cannot do: a live region for screen readers, the clipboard, and coming into view.

// What the keyboard is on may vanish or be switched off by what it did. The focus then goes to the nearest control that
// stood before it, but to none that changes or skips something, and back as soon as it can. Gives what is to be called
// after every change of the tool.
function keepFocus(tool) {
  let chosen = []; // what the operator was on, then what stood before it, nearest first
  let substitute = null;
  const shown = (each) => each.checkVisibility(); // not what is gone, hidden or folded away
  const usable = (each) => shown(each) && !each.disabled;
  const remember = ({ target }) => {
    if (target === substitute) return;
    const all = [...tool.querySelectorAll("button, input, textarea, summary, a")];
    chosen = all.slice(0, all.indexOf(target) + 1).reverse();
    substitute = null;
  };
  const forget = () => { chosen = []; };
  window.addEventListener("focusin", remember);
  window.addEventListener("pointerdown", forget, true);
  const restore = () => {
    const now = document.activeElement;
    if (now !== document.body && now !== substitute && (usable(now) || !tool.contains(now))) return;
    const target = chosen.find((each, at) => usable(each) && (at === 0 || !each.matches(".vmbackup-commits")));
    if (!target || target === now) return;
    substitute = target;
    target.focus({ preventScroll: shown(chosen[0]) });
  };
  let waiting = 0;
  return {
    changed() { waiting ||= setTimeout(() => { waiting = 0; restore(); }, 50); },
    stop() {
      clearTimeout(waiting);
      window.removeEventListener("focusin", remember);
      window.removeEventListener("pointerdown", forget, true);
    },
  };
}

// Nothing moves under the hand: what the operator pressed last, or else the tool, stays where it is on the screen while
// cells above and parts of the tool find their heights. Gives what is to be called after every change of the tool.
function holdStill(tool) {
  let scroller = tool.parentElement;
  while (scroller && !/auto|scroll/.test(getComputedStyle(scroller).overflowY)) scroller = scroller.parentElement;
  scroller ||= document.scrollingElement;
  let pressed = null;
  let top = 0;
  let scrolled = -1; // where this came to stand when it scrolled last
  const shown = (each) => each && each.isConnected && each.checkVisibility();
  const held = () => shown(pressed) ? pressed : tool;
  const note = () => { top = held().getBoundingClientRect().top; };
  const press = ({ target }) => {
    pressed = target.closest("button, summary");
    note();
  };
  const hold = () => {
    if (pressed && !shown(pressed)) {
      // It went with what it did: what is open now is what the operator goes on with.
      pressed = tool.querySelector("button.vmbackup-step.vmbackup-open");
      if (pressed) pressed.scrollIntoView({ block: "nearest" });
      return note();
    }
    const { top: now, bottom } = held().getBoundingClientRect();
    if (bottom + top - now < 0 || top > innerHeight) return note(); // out of sight: somebody reads elsewhere
    if (Math.abs(now - top) >= 1) scroller.scrollTop += now - top;
    scrolled = scroller.scrollTop;
    note();
  };
  // Its own scrolling is told a frame later; what has grown by then is not where the operator put it.
  const follow = () => {
    if (scroller.scrollTop === scrolled) return;
    scrolled = -1;
    note();
  };
  const keyed = (event) => { if (event.key === "Enter" || event.key === " ") press(event); };
  const heights = new ResizeObserver(hold);
  for (let each = tool; each && each !== scroller; each = each.parentElement) heights.observe(each);
  note();
  tool.addEventListener("pointerdown", press, true);
  tool.addEventListener("keydown", keyed, true);
  scroller.addEventListener("scroll", follow, { passive: true });
  return {
    changed: hold,
    stop() {
      heights.disconnect();
      scroller.removeEventListener("scroll", follow);
    },
  };
}

// The kernel cannot save the notebook; the notebook's own key does, whatever it is called in this frontend.
function saveNotebook(el) {
  const notebook = el.closest(".jp-Notebook");
  if (!notebook) return;
  const modifier = navigator.platform.startsWith("Mac") ? "metaKey" : "ctrlKey";
  const key = { key: "s", code: "KeyS", keyCode: 83, [modifier]: true, bubbles: true, cancelable: true };
  notebook.dispatchEvent(new KeyboardEvent("keydown", key));
}

function here({ el }) {
  let timer = setTimeout(() => { timer = bringIntoView(el, () => true); }, 0);
  return () => clearTimeout(timer);
}

function status({ model, el }) {
  el.setAttribute("role", "status");
  el.setAttribute("aria-live", "polite");
  el.classList.add("vmbackup-status");
  const show = () => { el.textContent = model.get("text"); };
  show();
  model.on("change:text", show);
  const asked = (message) => { if (message.save) saveNotebook(el); };
  model.on("msg:custom", asked);

  let tool = null;
  const prepare = () => {
    tool.setAttribute("role", "region");
    tool.setAttribute("aria-label", model.get("label"));
    for (const each of tool.querySelectorAll("button.vmbackup-step, button.vmbackup-fold")) {
      const open = String(each.classList.contains("vmbackup-open"));
      if (each.getAttribute("aria-expanded") !== open) each.setAttribute("aria-expanded", open);
    }
    // A question appears beside the button that was pressed: it is read out.
    for (const question of tool.querySelectorAll(".vmbackup-question")) question.setAttribute("role", "alert");
  };
  let observer, focus, still, unwatch, release;
  const attach = () => {
    tool = el.closest(".vmbackup-guide");
    if (!tool) { timer = setTimeout(attach, 50); return; }
    prepare();
    timer = bringIntoView(tool, idle);
    focus = keepFocus(tool);
    release = keepKeys(tool);
    still = holdStill(tool);
    unwatch = watchKernel(model, tool, (words) => { el.textContent = words; });
    leaveNote(model);
    observer = new MutationObserver(() => { prepare(); still.changed(); focus.changed(); });
    const attributeFilter = ["class", "style", "disabled"];
    observer.observe(tool, { subtree: true, childList: true, attributes: true, attributeFilter });
  };
  let timer = setTimeout(attach, 0);
  return () => {
    clearTimeout(timer);
    model.off("msg:custom", asked);
    if (observer) observer.disconnect();
    if (focus) focus.stop();
    if (unwatch) unwatch();
    if (release) release();
    if (still) still.stop();
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

const KINDS = { status, copy, here };

export default {
  render(context) { return KINDS[context.model.get("kind")](context); },
};
