// Every text goes into the page as text (textContent), never as markup: what a user or a model says cannot run.
"use strict";

const $ = (id) => document.getElementById(id);
const HEADS = {
  sentence: "a label for a text", score: "how alike two texts are", words: "entities, by word",
  characters: "entities, by character", span: "an answer from a passage",
};
const KINDS = 6;
let models = [];

function made(tag, className, text) {
  const found = document.createElement(tag);
  if (className) found.className = className;
  if (text !== undefined) found.textContent = text;
  return found;
}

function chosen() {
  return models.find((model) => model.name === $("model").value);
}

function show(...parts) {
  $("answer").replaceChildren(...parts);
}

function fail(why) {
  show(made("p", "error", why));
}

function choose() {
  const model = chosen();
  const span = model.head === "span";
  $("about").textContent = [model.task, HEADS[model.head]].filter(Boolean).join(": ");
  $("first-name").textContent = span ? "Question" : model.paired ? "First text" : "Text";
  $("second-name").textContent = span ? "Passage" : model.paired ? "Second text" : "Second text (where rows are pairs)";
  $("second-part").hidden = model.paired === false;
  $("second").rows = span ? 10 : 3;
  show();
}

function asked(model) {
  const first = $("first").value, second = $("second").value;
  if (model.head === "span") return { model: model.name, question: first, context: second };
  const pair = model.paired || (model.paired === null && second !== "");
  return pair ? { model: model.name, text: first, text2: second } : { model: model.name, text: first };
}

function bar(name, share, best) {
  const row = made("div", best ? "row best" : "row");
  const meter = made("progress");
  meter.max = 1;
  meter.value = share;
  row.append(made("span", "name", name), meter, made("span", "number", (100 * share).toFixed(1) + "%"));
  return row;
}

// Code points, as the server counts: JavaScript's own indices count an emoji twice.
function marked(text, places) {
  const points = Array.from(text), box = made("div", "text");
  const kinds = [...new Set(places.map((place) => place.type))].sort();
  let done = 0;
  for (const place of places) {
    box.append(points.slice(done, place.begin).join(""));
    const mark = made("mark", "kind-" + (kinds.indexOf(place.type) % KINDS), points.slice(place.begin, place.end).join(""));
    if (place.type) mark.append(made("small", "", place.type));
    mark.title = (100 * place.probability).toFixed(1) + "%";
    box.append(mark);
    done = place.end;
  }
  box.append(points.slice(done).join(""));
  return box;
}

function labels(answer) {
  const each = Object.entries(answer.probabilities).sort((a, b) => b[1] - a[1]);
  show(made("p", "big", answer.label), ...each.map(([name, share]) => bar(name, share, name === answer.label)));
}

function entities(answer, text) {
  const list = answer.entities.map((one) => bar(one.type + " " + one.text, one.probability, false));
  show(marked(text, answer.entities), ...(list.length ? list : [made("p", "", "no entity")]));
}

function passage(answer, text) {
  if (!answer.answer) return show(made("p", "big", "no answer"));
  const rest = answer.best.map((one, number) => bar(one.text, one.probability, number === 0));
  show(made("p", "big", answer.answer), marked(text, [{ ...answer, type: "" }]), ...rest);
}

function answered(model, sent, answer) {
  if (model.head === "sentence") labels(answer);
  else if (model.head === "score") show(made("p", "big", answer.score.toFixed(3)));
  else if (model.head === "span") passage(answer, sent.context);
  else entities(answer, sent.text);
}

async function ask(event) {
  if (event) event.preventDefault();
  const model = chosen(), sent = asked(model);
  $("ask").disabled = true;
  try {
    const response = await fetch("predict", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(sent),
    });
    const found = await response.json();
    if (response.ok) answered(model, sent, found.answer);
    else fail(found.error);
  } catch (error) {
    fail("the server does not answer");
  }
  $("ask").disabled = false;
}

// #model=...&first=...&second=... fills the form and asks: a link to a finding.
function fromLink() {
  const given = new URLSearchParams(location.hash.slice(1));
  if (models.some((model) => model.name === given.get("model"))) $("model").value = given.get("model");
  choose();
  for (const name of ["first", "second"]) if (given.has(name)) $(name).value = given.get(name);
  if (given.has("first")) ask();
}

async function start() {
  try {
    models = await (await fetch("models")).json();
  } catch (error) {
    return fail("the server does not answer");
  }
  for (const model of models) $("model").append(new Option(model.name, model.name));
  $("model").addEventListener("change", choose);
  $("form").addEventListener("submit", ask);
  window.addEventListener("hashchange", fromLink);
  fromLink();
}

start();
