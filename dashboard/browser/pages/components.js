// Components of dash.html as elements: built, or changed in place where they differ.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  // scripts say whether something is open
  const OURS = new Set(["aria-expanded", "style"]);

  const isText = (component) => component === null || typeof component !== "object";
  const childrenOf = ({ props }) => [props.children ?? []].flat().map((child) => child ?? "");

  // a component of dash.html as an element; text stays text
  function build(component) {
    if (isText(component)) return document.createTextNode(component ?? "");
    const element = document.createElement(component.type.toLowerCase());
    dress(element, component);
    element.append(...childrenOf(component).map(build));
    return element;
  }

  function dress(element, { props: { children, className, style, ...attributes } }) {
    element.className = className || "";
    Object.assign(element.style, style);
    for (const [name, value] of Object.entries(attributes))
      if (!(OURS.has(name) && element.hasAttribute(name))) put(element, name, value);
  }

  function put(element, name, value) {
    if (value === false || value === null) element.removeAttribute(name);
    else element.setAttribute(name, value === true ? "" : value);
  }

  // the same node as the component says now; what a script added (`data-added`) stays
  function patched(node, component) {
    if (isText(component)) {
      if (node.nodeType !== Node.TEXT_NODE) return swapped(node, component);
      if (node.data !== String(component)) node.data = component;
      return node;
    }
    if (node.nodeName !== component.type.toUpperCase()) return swapped(node, component);
    const { children, className, ...named } = component.props;
    for (const name of node.getAttributeNames())
      if (name !== "class" && !OURS.has(name) && !isNamed(name, named)) node.removeAttribute(name);
    dress(node, component);
    // a moment's text is written by live.js
    if (!node.dataset.clock && !node.dataset.since) fill(node, childrenOf(component));
    return node;
  }

  function fill(node, wanted) {
    const old = [...node.childNodes].filter((child) => !(child.dataset && "added" in child.dataset));
    const end = old.length ? old.at(-1).nextSibling : node.firstChild;
    wanted.forEach((child, at) => (old[at] ? patched(old[at], child) : node.insertBefore(build(child), end)));
    for (const gone of old.slice(wanted.length)) gone.remove();
  }

  const isNamed = (name, props) => Object.keys(props).some((each) => each.toLowerCase() === name);

  function swapped(node, component) {
    const fresh = build(component);
    node.replaceWith(fresh);
    return fresh;
  }

  // some properties of an element anew, as Dash sets them
  function redress(element, { children, className, ...attributes }) {
    if (children !== undefined) fill(element, childrenOf({ props: { children } }));
    if (className !== undefined) element.className = className;
    for (const [name, value] of Object.entries(attributes)) put(element, name, value);
  }

  segue.components = { build, patched, redress };
})();
