/** Markets that are not happening now, by the source of their prices. */

/** @typedef {{ label: string, title: string }} Unreal */

/**
 * What to call a market whose prices are made up or from the past; null for a real one.
 * @param {string} source
 * @returns {Unreal | null}
 */
export function unreal(source) {
  if (source === "demo") {
    return { label: "Simulated", title: "These prices are made up by a seeded simulation" };
  }
  if (source === "file" || source.startsWith("file-")) {
    return { label: "Recorded", title: "These prices are played from a file" };
  }
  return null;
}
