/* Run at the end of a copy of a report by tests/report/browser.sh: looks at the page as a reader would, and tells the page
 * whose frame it stands in what it found. */
'use strict';
(() => {
  const errors = [];
  addEventListener('error', (event) => errors.push(event.message));
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));

  /* Elements that stick out of the page, save those within one that scrolls on its own. */
  function overflow() {
    const width = document.documentElement.clientWidth, out = [];
    for (const e of document.body.querySelectorAll('*')) {
      if (e.getBoundingClientRect().right <= width + 1 || e.closest('.scroll, svg, pre, canvas, .live')) continue;
      out.push(`${e.tagName}.${e.className}`);
    }
    return {width, scroll: document.documentElement.scrollWidth, out: out.slice(0, 5)};
  }

  function mouse(canvas, type, x, y) {
    const box = canvas.getBoundingClientRect(), at = {clientX: box.left + x, clientY: box.top + y};
    const all = {...at, bubbles: true, cancelable: true, view: window, pointerId: 1, button: 0, pointerType: 'mouse'};
    canvas.dispatchEvent(new (type.startsWith('pointer') ? PointerEvent : MouseEvent)(type, all));
  }

  async function chart(figure) {
    figure.dispatchEvent(new PointerEvent('pointerover', {bubbles: true}));
    const canvas = figure.querySelector('canvas');
    const found = {name: figure.querySelector('figcaption').textContent, alive: canvas !== null};
    if (!canvas) return found;
    const chart = Chart.getChart(canvas), points = chart.getDatasetMeta(0).data;
    const point = points[points.length >> 1];
    mouse(canvas, 'mousemove', point.x, point.y);
    await wait(50); // Chart.js answers with the next frame
    found.title = (chart.tooltip.title || []).join(' ');
    found.tip = chart.tooltip.opacity > 0 ? chart.tooltip.body.map((b) => b.lines.join('; ')).join(' | ') : '';
    if (JSON.parse(figure.querySelector('script').textContent).whole)
      found.between = chart.scales.x.ticks.some((tick) => !Number.isInteger(tick.value));
    const {left, top, right, bottom} = chart.chartArea, before = chart.scales.x.max - chart.scales.x.min;
    canvas.setPointerCapture = () => {};
    mouse(canvas, 'pointerdown', left + 5, top + 5);
    mouse(canvas, 'pointermove', (left + right) / 2, (top + bottom) / 2);
    mouse(canvas, 'pointerup', (left + right) / 2, (top + bottom) / 2);
    found.closer = (chart.scales.x.max - chart.scales.x.min) / before;
    mouse(canvas, 'dblclick', left + 5, top + 5);
    found.back = (chart.scales.x.max - chart.scales.x.min) / before;
    return found;
  }

  addEventListener('load', async () => {
    const figures = [...document.querySelectorAll('figure')], charts = [];
    await wait(100);
    const before = overflow();
    for (const figure of figures) {
      figure.scrollIntoView();
      await wait(100);
      charts.push(await chart(figure));
    }
    const after = overflow(), still = [...document.querySelectorAll('svg.chart')].length;
    parent.postMessage(JSON.stringify({errors, before, after, still, charts}), '*');
  });
})();
