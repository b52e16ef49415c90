/** The one element a page promises to have. */
export function need<T extends Element = HTMLElement>(selector: string, within: ParentNode = document): T {
  const found = within.querySelector<T>(selector);
  if (!found) throw new Error(`The page lacks ${selector}`);
  return found;
}

type Attributes = Record<string, string | boolean | undefined>;

/** A new element with attributes and children; strings become text, never markup. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (typeof value === "string") element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";
const sprite = () => document.querySelector<HTMLMetaElement>('meta[name="icons"]')?.content ?? "";

/** An icon of the sprite. */
export function icon(name: string, extra = ""): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", `icon ${extra}`.trim());
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${sprite()}#${name}`);
  svg.append(use);
  return svg;
}

/** Show another icon in an element that has one. */
export function setIcon(element: Element, name: string): void {
  const href = `${sprite()}#${name}`;
  const use = element.querySelector("use");
  if (use && use.getAttribute("href") !== href) use.setAttribute("href", href);
}

/** Text that is only written when it changes, so that screen readers and the layout stay quiet. */
export function setText(element: Element | null, text: string): void {
  if (element && element.textContent !== text) element.textContent = text;
}
