// Draws the figures that the server has made, and looks again where the page says so. What is shown is the server's say.
"use strict";

let plotly;

function loadPlotly() {
  plotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = document.querySelector("main").dataset.plotly;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => reject(new Error("plotly's JavaScript can't be loaded from " + script.src));
    document.head.append(script);
  });
  return plotly;
}

async function draw(root) {
  const charts = [...root.querySelectorAll(".chart")];
  if (!charts.length) return;
  const Plotly = await loadPlotly();
  for (const chart of charts) {
    const figure = JSON.parse(chart.dataset.figure);
    await Plotly.react(chart, figure.data, figure.layout, {responsive: true, displayModeBar: false});
    chart.dataset.drawn = "true";
  }
}

function showEnds(root) {
  for (const log of root.querySelectorAll("pre.log")) log.scrollTop = log.scrollHeight;
}

function replace(old, fresh) {
  const atEnd = [...old.querySelectorAll("pre.log")].every((log) => log.scrollTop + log.clientHeight > log.scrollHeight - 8);
  const scrolled = old.querySelector("pre.log")?.scrollTop ?? 0;
  // A chart that is there stays, and gets its new figure: made anew it would flicker.
  for (const chart of fresh.querySelectorAll(".chart")) {
    const known = old.querySelector("#" + chart.id);
    if (!known) continue;
    known.dataset.figure = chart.dataset.figure;
    chart.replaceWith(known);
  }
  for (const gone of old.querySelectorAll(".chart")) window.Plotly?.purge(gone);
  old.replaceWith(fresh);
  if (atEnd) showEnds(fresh);
  else for (const log of fresh.querySelectorAll("pre.log")) log.scrollTop = scrolled;
  return draw(fresh);
}

async function lookAgain() {
  const main = document.querySelector("main");
  try {
    const answer = await fetch(location.href, {cache: "no-store"});
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!answer.ok) main.replaceChildren(...fresh.querySelector("main").childNodes);
    for (const part of fresh.querySelectorAll("[data-live]")) {
      const old = document.getElementById(part.id);
      if (old) await replace(old, part);
    }
    main.dataset.refresh = fresh.querySelector("main").dataset.refresh;
    document.getElementById("lost")?.remove();
  } catch (error) {
    if (!document.getElementById("lost")) {
      const lost = document.createElement("div");
      lost.id = "lost";
      lost.className = "trouble";
      lost.textContent = `Local AWS does not answer (${error.message}); what is below is how it was.`;
      main.prepend(lost);
    }
  }
  main.dataset.looked = String(Number(main.dataset.looked ?? 0) + 1);
  schedule();
}

function schedule() {
  const seconds = Number(document.querySelector("main").dataset.refresh);
  if (seconds > 0) setTimeout(lookAgain, seconds * 1000);
}

showEnds(document);
draw(document);
schedule();
