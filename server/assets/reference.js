// Shows openapi.json: every operation with what it takes and answers, every schema, every problem.

function make(tag, text, parent) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (parent) parent.append(made);
  return made;
}

function link(name, parent) {
  const made = make("a", name, parent);
  made.href = `#schema-${name}`;
}

// A schema in one line; one with a name of its own as a link to it.
function brief(schema, parent) {
  if (schema.$ref) return link(schema.$ref.split("/").pop(), parent);
  const choices = schema.oneOf || schema.anyOf || schema.allOf;
  if (choices) {
    choices.forEach((choice, at) => {
      if (at > 0) parent.append(" | ");
      brief(choice, parent);
    });
    return;
  }
  if (schema.items) {
    parent.append(`at most ${schema.maxItems} of `);
    return brief(schema.items, parent);
  }
  const words = [schema.const !== undefined ? JSON.stringify(schema.const) : [schema.type].flat().filter(Boolean).join(" | ")];
  if (schema.enum) words.push(schema.enum.map((value) => JSON.stringify(value)).join(" | "));
  for (const bound of ["minimum", "maximum", "minLength", "maxLength", "pattern"]) {
    if (schema[bound] !== undefined) words.push(`${bound} ${schema[bound]}`);
  }
  parent.append(words.join(", "));
}

function fields(schema, parent) {
  if (!schema.properties) return brief(schema, make("p", undefined, parent));
  const table = make("table", undefined, parent);
  for (const [name, field] of Object.entries(schema.properties)) {
    const row = make("tr", undefined, table);
    const title = make("td", undefined, row);
    make("code", name, title);
    if (!(schema.required || []).includes(name)) make("span", " may be absent", title).className = "quiet";
    const what = make("td", undefined, row);
    brief(field, what);
    if (field.description) make("div", field.description, what);
    if (field.examples) make("code", JSON.stringify(field.examples[0]), make("div", "such as ", what));
  }
}

function body(content, parent) {
  for (const [type, { schema }] of Object.entries(content || {})) {
    const line = make("span", `${type} `, parent);
    line.className = "quiet";
    if (schema) brief(schema, parent);
  }
}

function operation(method, path, told, parent) {
  const box = make("details", undefined, parent);
  box.id = told.operationId;
  const head = make("summary", undefined, box);
  make("b", method.toUpperCase(), head);
  make("code", path, head);
  make("div", told.summary, head);
  const table = make("table", undefined, box);
  for (const taken of told.parameters || []) {
    const row = make("tr", undefined, table);
    make("code", taken.name, make("td", undefined, row));
    make("td", taken.in, row);
    const what = make("td", `${taken.description}: `, row);
    brief(taken.schema || {}, what);
  }
  if (told.requestBody) {
    const row = make("tr", undefined, table);
    make("td", "body", row);
    make("td", "", row);
    body(told.requestBody.content, make("td", undefined, row));
  }
  for (const [status, answer] of Object.entries(told.responses)) {
    const row = make("tr", undefined, table);
    make("td", status, row);
    make("td", "", row);
    body(answer.content, make("td", `${answer.description} `, row));
  }
}

function show(api) {
  document.getElementById("title").textContent = `${api.info.title} ${api.info.version}`;
  document.getElementById("about").textContent = api.info.description;
  const contents = document.getElementById("contents");
  const main = document.getElementById("operations");
  main.textContent = "";
  make("h2", "Operations", main);
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const [method, told] of Object.entries(methods)) {
      operation(method, path, told, main);
      make("a", told.operationId, contents).href = `#${told.operationId}`;
    }
  }
  make("h2", "Problems", main);
  const problems = make("table", undefined, main);
  for (const [name, problem] of Object.entries(api["x-problems"])) {
    const row = make("tr", undefined, problems);
    row.id = name;
    make("code", name, make("td", undefined, row));
    make("td", String(problem.status), row);
    make("td", problem.description, row);
  }
  make("h2", "Schemas", main);
  for (const [name, schema] of Object.entries(api.components.schemas)) {
    const box = make("details", undefined, main);
    box.id = `schema-${name}`;
    make("code", name, make("summary", undefined, box));
    if (schema.description) make("p", schema.description, box);
    (schema.properties ? [schema] : schema.oneOf || [schema]).forEach((one) => fields(one, box));
  }
}

// Opens what the address names.
function follow() {
  const found = document.getElementById(location.hash.slice(1));
  if (!found) return;
  if (found.tagName === "DETAILS") found.open = true;
  found.scrollIntoView();
}

const answer = await fetch(document.querySelector("a[href$='openapi.json']").href);
show(await answer.json());
follow();
addEventListener("hashchange", follow);
