// Opens each of `pages` in frames of each of `widths`, and writes what it measures.
// It runs in a copy of the page without its policy; the page itself has no script.

const rgba = (text) => {
  const parts = text.match(/[\d.]+/g);
  return parts ? [...parts.map(Number), 1].slice(0, 4) : null;
};

const over = (top, ground) =>
  top.slice(0, 3).map((value, i) => value * top[3] + ground[i] * (1 - top[3]));

const luminance = (colour) => {
  const [r, g, b] = colour.slice(0, 3).map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};

const contrast = (one, other) => {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
};

const groundOf = (element, view) => {
  if (!element) return [255, 255, 255];
  const colour = rgba(view.getComputedStyle(element).backgroundColor);
  if (colour[3] === 1) return colour;
  return over(colour, groundOf(element.parentElement, view));
};

// What is drawn last below the middle of the text; hatching only makes it lighter.
const groundOfDrawn = (text, view) => {
  const box = text.getBoundingClientRect();
  const [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
  const svg = text.ownerSVGElement;
  let ground = groundOf(svg.parentElement, view);
  for (const rect of svg.querySelectorAll(":scope > rect")) {
    if (!(rect.compareDocumentPosition(text) & 4)) break;
    const at = rect.getBoundingClientRect();
    const fill = view.getComputedStyle(rect).fill;
    const under = at.left <= x && x <= at.right && at.top <= y && y <= at.bottom;
    if (under && fill.startsWith("rgb")) ground = over(rgba(fill), ground);
  }
  return ground;
};

const texts = (document, view) => {
  const found = [];
  const walker = document.createTreeWalker(document.body, 4);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const shown = element.checkVisibility() && element.getClientRects().length;
    const word = walker.currentNode.data.trim();
    if (!word || !shown || element.closest("title, desc, style")) continue;
    const style = view.getComputedStyle(element);
    const drawn = element.ownerSVGElement;
    const ground = drawn ? groundOfDrawn(element, view) : groundOf(element, view);
    const scale = drawn ? element.getScreenCTM().a : 1;
    found.push({
      word,
      size: parseFloat(style.fontSize) * scale,
      contrast: contrast(rgba(drawn ? style.fill : style.color), ground),
    });
  }
  return found;
};

const wide = (document, view) => {
  if (document.documentElement.scrollWidth <= view.innerWidth) return [];
  return [...document.body.querySelectorAll("*")]
    .filter((e) => e.getBoundingClientRect().right > view.innerWidth + 0.5)
    .map((e) => `${e.tagName} ${e.textContent.trim().slice(0, 40)}`);
};

const outside = (svg) => {
  const box = svg.getBoundingClientRect();
  if (!svg.checkVisibility()) return [];
  if (!(box.width > 4 && box.height > 4)) return ["no size"];
  const view = svg.viewBox.baseVal;
  const drawn = [...svg.querySelectorAll(":scope > rect, :scope > text")];
  return drawn
    .map((element) => [element.tagName, element.getBBox()])
    .filter(([tag, at]) => {
      const slack = tag === "text" ? 1 : 0.01;
      return (
        at.x < view.x - slack ||
        at.y < view.y - slack ||
        at.x + at.width > view.x + view.width + slack ||
        at.y + at.height > view.y + view.height + slack
      );
    })
    .map(([tag, at]) => `${tag} ${at.x} ${at.y} ${at.width} ${at.height}`);
};

const touching = (svg) => {
  const boxes = [...svg.querySelectorAll("text")].map((text) => [
    text.textContent,
    text.getBBox(),
  ]);
  return boxes.flatMap(([word, a], index) =>
    boxes
      .slice(index + 1)
      .filter(
        ([, b]) =>
          a.x < b.x + b.width &&
          b.x < a.x + a.width &&
          Math.abs(a.y + a.height / 2 - b.y - b.height / 2) < 6,
      )
      .map(([other]) => `${word} | ${other}`),
  );
};

const unequal = (svg) => {
  const widths = [...svg.querySelectorAll(".slice")].map((r) => r.width.baseVal.value);
  return widths.length && Math.max(...widths) - Math.min(...widths) > 0.05;
};

const measure = (page, width, frame) => {
  const view = frame.contentWindow;
  const document = frame.contentDocument;
  for (const details of document.querySelectorAll("details")) details.open = true;
  const pictures = [...document.querySelectorAll("svg")];
  const every = texts(document, view);
  const dark = view.matchMedia("(prefers-color-scheme: dark)").matches;
  return {
    page,
    width,
    scheme: dark ? "dark" : "light",
    wide: wide(document, view),
    texts: every.length,
    smallest: Math.min(...every.map((text) => text.size)),
    pale: every.filter((text) => text.contrast < 4.5),
    pictures: pictures.length,
    outside: pictures.flatMap(outside),
    touching: pictures.flatMap(touching),
    unequal: pictures.filter(unequal).length,
  };
};

document.addEventListener("DOMContentLoaded", () => {
  const frames = Object.keys(pages).flatMap((page) =>
    widths.map((width) => {
      const frame = document.createElement("iframe");
      frame.style.cssText = `width: ${width}px; height: 800px; border: 0`;
      frame.srcdoc = pages[page];
      document.body.append(frame);
      return [page, width, frame];
    }),
  );
  addEventListener("load", () => {
    const told = document.createElement("pre");
    told.id = "found";
    told.textContent = JSON.stringify(frames.map((frame) => measure(...frame)));
    document.body.replaceChildren(told);
  });
});
