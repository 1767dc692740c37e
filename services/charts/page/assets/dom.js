/** Finding and making elements. */

/**
 * The element of this id; the page is broken without it.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}

/**
 * A new element with classes and children; text is never read as markup.
 * @param {string} tag
 * @param {string} [classes]
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export function make(tag, classes = "", ...children) {
  const made = document.createElement(tag);
  if (classes !== "") made.className = classes;
  made.append(...children);
  return made;
}

/**
 * Set an element's text only if it changes, so that nothing is announced or painted twice.
 * @param {HTMLElement} element
 * @param {string} text
 */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
