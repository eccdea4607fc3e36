// The start page: where to look, and a real table with a button in each row. All words are set as text, never as markup.

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

// Long names of Azure may break between their words, and nowhere else.
function breakable(text) {
  const words = text.split(/(?<=[a-z])(?=[A-Z])|(?<=_)/);
  return words.flatMap((word, number) => (number ? [element("wbr", {}), word] : [word]));
}

function choice({ label, name, options, chosen }, choose) {
  const select = element("select", { name }, ...options.map(([value, text]) => element("option", { value, text })));
  select.value = chosen;
  select.addEventListener("change", () => choose({ [name]: select.value }));
  return element("label", {}, label, " ", select);
}

function table({ title, header, rows }, choose) {
  const head = [...header, ""].map((textContent) => element("th", { scope: "col", textContent }));
  const body = rows.map(({ key, sign, verdict, cells: [first, ...rest], button, label }) => {
    const open = element("button", { type: "button", textContent: button, ariaLabel: label });
    open.addEventListener("click", () => choose({ open: key }));
    const name = element("th", { scope: "row", className: `vmbackup-${verdict}` }, `${sign} `, ...breakable(first));
    const others = rest.map((text) => element("td", {}, ...breakable(text)));
    return element("tr", {}, name, ...others, element("td", {}, open));
  });
  const caption = element("caption", { textContent: title });
  return element("table", {}, caption, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...body));
}

// JupyterLab opens and runs the notebook where vmbackup's extension is installed; elsewhere the operator is told to.
async function openNotebook({ name, run, opened, otherwise }, say) {
  const detail = { name, run };
  window.dispatchEvent(new CustomEvent("vmbackup:open", { detail }));
  const done = await Promise.resolve(detail.opened).catch(() => false);
  say(done ? opened : otherwise);
}

function render({ model, el }) {
  const page = element("div", { className: "vmbackup-start" });
  const status = element("p", { role: "status", className: "vmbackup-status" });
  page.role = "region";
  el.append(page);
  // A double click chooses once.
  let busy = false;
  const say = (words) => {
    status.textContent = words;
    busy = false;
  };
  const choose = (event) => {
    if (busy) return;
    say(model.get("open" in event ? "opening" : "asking"));
    busy = true;
    model.send(event);
  };
  const show = () => {
    const { title, notices, how, choices, buttons, list } = model.get("view");
    const focused = page.contains(document.activeElement) ? document.activeElement.name || document.activeElement.ariaLabel : "";
    page.ariaLabel = title;
    const parts = notices.map((textContent) => element("p", { className: "vmbackup-notice", textContent }));
    const places = element("p", { className: "vmbackup-choices" }, ...choices.map((each) => choice(each, choose)));
    for (const [name, textContent] of buttons) {
      const button = element("button", { type: "button", name, textContent });
      button.addEventListener("click", () => choose({ [name]: true }));
      places.append(button);
    }
    parts.push(places);
    if (how) parts.push(element("p", { textContent: how }));
    if (list) parts.push(table(list, choose));
    page.replaceChildren(...parts, status);
    // What was chosen keeps the keyboard.
    const again = [...page.querySelectorAll("button, select")].find((each) => focused && [each.name, each.ariaLabel].includes(focused));
    if (again) again.focus({ preventScroll: true });
  };
  show();
  say(model.get("status"));
  model.on("change:view", show);
  model.on("change:status", () => say(model.get("status")));
  model.on("msg:custom", (message) => { if (message.open) openNotebook(message.open, say); });
  const undo = [keepKeys(page), watchKernel(model, page, say)];
  leaveNote(model);
  let timer = setTimeout(() => { timer = bringIntoView(page, idle); }, 0);
  return () => {
    clearTimeout(timer);
    for (const each of undo) each();
  };
}

export default { render };
