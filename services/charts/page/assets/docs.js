/** The API's page: the routes of openapi.json, so that it cannot say anything else. */

import { byId, make } from "./dom.js";

/**
 * @typedef {object} Parameter
 * @property {string} name
 * @property {boolean} required
 * @property {string} [description]
 * @property {any} schema
 */

/** @param {any} schema of one parameter, in words */
function kind(schema) {
  const one = schema.anyOf?.[0] ?? schema;
  if (one.enum !== undefined) return `one of ${one.enum.join(", ")}`;
  const bounded = one.maximum !== undefined && one.maximum < Number.MAX_SAFE_INTEGER;
  const range = bounded ? `${one.type} from ${one.minimum} to ${one.maximum}` : one.type;
  return schema.default === undefined ? range : `${range}, ${schema.default} unless said`;
}

/** @param {Parameter} parameter */
function row({ name, required, description, schema }) {
  const heading = make("th", "", name);
  heading.setAttribute("scope", "row");
  const words = [description ?? schema.description, kind(schema), required ? "required" : ""];
  return make("tr", "", heading, make("td", "", words.filter(Boolean).join("; ")));
}

/**
 * @param {string} path
 * @param {string} method
 * @param {any} operation
 */
function route(path, method, operation) {
  const title = make("h2", "", make("span", "method", method.toUpperCase()), path);
  const section = make("section", "panel route", title, make("p", "", operation.description ?? ""));
  if (operation.parameters?.length > 0) {
    section.append(make("table", "", make("tbody", "", ...operation.parameters.map(row))));
  }
  return section;
}

const { paths } = await (await fetch("openapi.json")).json();
for (const [path, methods] of Object.entries(paths)) {
  for (const [method, operation] of Object.entries(methods)) {
    byId("routes").append(route(path, method, operation));
  }
}
