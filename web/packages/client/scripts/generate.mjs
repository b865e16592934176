// Writes src/protocol.ts from the JSON Schemas of the protocol; with --check, fails where it differs.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const schemas = fileURLToPath(new URL("../../../../docs/schema/", import.meta.url));
const target = fileURLToPath(new URL("../src/protocol.ts", import.meta.url));

/** The TypeScript source of all types of the protocol. */
export function generate() {
  const defs = new Map();
  const roots = [];
  for (const [file, name] of [
    ["board", "View"],
    ["client-message", "ClientMessage"],
    ["server-message", "ServerMessage"],
  ]) {
    const { $defs, $schema, title, ...root } = JSON.parse(
      readFileSync(`${schemas}${file}.schema.json`, "utf8"),
    );
    const rename = placeNames($defs);
    for (const [def, schema] of Object.entries($defs)) add(defs, rename(def), schema, rename);
    if (name === "View") add(defs, name, root, rename);
    else roots.push([name, root, rename]);
  }
  const lines = ["// Made by scripts/generate.mjs from docs/schema; edit neither by hand.", ""];
  for (const [name, text] of [...defs].sort(([a], [b]) => (a < b ? -1 : 1))) {
    lines.push(`${text.doc}export type ${name} = ${text.type};`, "");
  }
  for (const [name, root, rename] of roots) {
    lines.push(`${doc(root, "")}export type ${name} = ${typeOf(root, "", rename)};`, "");
  }
  return lines.join("\n");
}

function add(defs, name, schema, rename) {
  const made = { doc: doc(schema, ""), type: typeOf(schema, "", rename) };
  const there = defs.get(name);
  if (there && there.type !== made.type) throw new Error(`two schemas differ on ${name}`);
  if (!there) defs.set(name, made);
}

/** The schemas number the instances of the generic `Place`; here each is named after its things. */
function placeNames(defs) {
  const names = new Map();
  for (const [def, schema] of Object.entries(defs)) {
    if (!/^Place\d*$/.test(def)) continue;
    const id = schema.properties.after.anyOf[0].$ref.split("/").pop();
    names.set(def, id.replace(/Id$/, "Place"));
  }
  return (name) => names.get(name) ?? name;
}

function typeOf(schema, indent, rename) {
  const own = schema.properties || schema.additionalProperties?.$ref;
  if (schema.$ref) {
    const name = rename(schema.$ref.split("/").pop());
    return own ? `${objectOf(schema, indent, rename)} & ${name}` : name;
  }
  const variants = schema.oneOf ?? schema.anyOf;
  if (variants) return unionOf(variants, indent, rename);
  if ("const" in schema) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const types = [schema.type ?? []].flat();
  return types.map((type) => plain(type, schema, indent, rename)).join(" | ") || "unknown";
}

function unionOf(variants, indent, rename) {
  const inner = `${indent}  `;
  const types = variants.map((variant) => typeOf(variant, inner, rename));
  const short = types.join(" | ");
  if (short.length < 60 && !short.includes("\n")) return short;
  return types
    .map(
      (type, at) =>
        `\n${inner}${doc(variants[at], inner).trimStart()}${doc(variants[at], "") ? inner : ""}| ${type}`,
    )
    .join("");
}

function plain(type, schema, indent, rename) {
  switch (type) {
    case "integer":
    case "number":
      return "number";
    case "array":
      return arrayOf(schema, indent, rename);
    case "object":
      return objectOf(schema, indent, rename);
    case "string":
    case "boolean":
    case "null":
      return type;
    default:
      throw new Error(`the schemas use the type ${type}, which this script does not know`);
  }
}

function arrayOf(schema, indent, rename) {
  if (schema.prefixItems) {
    const needed = schema.minItems ?? 0;
    const items = schema.prefixItems.map((item, at) => {
      const type = typeOf(item, indent, rename);
      return at < needed ? type : `(${type})?`;
    });
    return `[${items.join(", ")}]`;
  }
  const item = typeOf(schema.items, indent, rename);
  return item.includes(" ") ? `(${item})[]` : `${item}[]`;
}

function objectOf(schema, indent, rename) {
  const inner = `${indent}  `;
  const needed = new Set(schema.required ?? []);
  const fields = Object.entries(schema.properties ?? {}).map(
    ([name, field]) =>
      `${doc(field, inner)}${inner}${name}${needed.has(name) ? "" : "?"}: ${typeOf(field, inner, rename)};\n`,
  );
  const rest = schema.additionalProperties;
  if (fields.length === 0 && rest) return `{ [key: string]: ${typeOf(rest, inner, rename)} }`;
  return `{\n${fields.join("")}${indent}}`;
}

function doc(schema, indent) {
  if (!schema.description) return "";
  const [first, ...more] = schema.description.split("\n");
  if (more.length === 0) return `${indent}/** ${first} */\n`;
  const text = [first, ...more].map((line) => `${indent} * ${line}`.trimEnd()).join("\n");
  return `${indent}/**\n${text}\n${indent} */\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const source = generate();
  if (!process.argv.includes("--check")) {
    writeFileSync(target, source);
  } else if (readFileSync(target, "utf8") !== source) {
    console.error("src/protocol.ts is not what docs/schema says: run `npm run generate`");
    process.exit(1);
  }
}
