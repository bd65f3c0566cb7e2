/* Hover and zoom for the charts of a report: each figure's static picture is replaced, once it comes into view, by a
 * Chart.js chart of the same numbers, which stand as JSON in the figure. Printed, and without this script, the static
 * pictures stay. */
'use strict';
(() => {
  const COLOURS = 10, MANY = 40, BEYOND = 6; // pixels that what lies on the border takes outside it
  const charts = new Map(); // figure -> its chart
  const grouped = new Intl.NumberFormat('en', {maximumFractionDigits: 0});

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  /* As the page itself writes numbers: whole numbers whole, others with four significant digits. */
  function shown(value) {
    if (Number.isInteger(value) && Math.abs(value) < 1e15) return grouped.format(value);
    const size = Math.abs(value);
    if (size >= 1e15 || (size < 1e-4 && size > 0)) return value.toExponential(3);
    return size >= 1000 ? grouped.format(value) : String(Number(value.toPrecision(4)));
  }

  /* On an axis: millions shortened. */
  function tick(value) {
    const size = Math.abs(value);
    for (const [unit, name] of [[1e12, ' T'], [1e9, ' G'], [1e6, ' M']])
      if (size >= unit && size < 1e15) return shown(value / unit) + name;
    return shown(value);
  }

  const cut = (text) => ([...text].length > 26 ? [...text].slice(0, 25).join('') + '…' : text);

  const named = (plot) => plot.kind === 'bars' && plot.series.some((s) => s.labels);

  function tooltip(plot) {
    return {
      displayColors: plot.series.length > 1,
      filter: (item) => item.dataset.source !== undefined,
      callbacks: {
        title: (items) => {
          if (items.length === 0) return '';
          const {dataset, dataIndex} = items[0];
          return dataset.source.labels ? dataset.source.labels[dataIndex] : dataset.label || '';
        },
        label: ({dataset, dataIndex}) => {
          const s = dataset.source, lines = [];
          if (s.labels && dataset.label) lines.push(dataset.label);
          if (!named(plot)) lines.push(`${plot.x}: ${shown(s.x[dataIndex])}`);
          lines.push(`${plot.y}: ${shown(s.y[dataIndex])}`);
          if (s.low && s.low[dataIndex] !== null && s.high[dataIndex] !== null)
            lines.push(`${shown(s.low[dataIndex])} to ${shown(s.high[dataIndex])}`);
          return lines;
        }
      }
    };
  }

  function dataset(plot, s, number) {
    const paint = colour(`--c${number % COLOURS}`), line = plot.kind === 'line', sideways = named(plot);
    return {
      source: s,
      label: s.name || '',
      data: s.x.map((x, i) => (sideways ? s.y[i] : {x, y: s.y[i]})),
      showLine: line,
      borderColor: paint,
      backgroundColor: plot.kind === 'points' ? paint + 'b0' : paint,
      borderWidth: line ? 2 : 0,
      pointBorderWidth: 0,
      pointRadius: line && s.x.length > MANY ? 0 : 2.5,
      pointHoverRadius: 5,
      pointHitRadius: 8,
      clip: BEYOND
    };
  }

  /* y = x, where that means something. */
  function ideal(most) {
    return {
      data: [{x: 0, y: 0}, {x: most, y: most}],
      showLine: true,
      borderColor: colour('--muted'),
      borderDash: [4, 4],
      borderWidth: 1,
      pointRadius: 0,
      pointHitRadius: 0
    };
  }

  /* The intervals of a long line: the area between their ends. */
  function band(ctx, s, paint, x, y) {
    const all = s.x.map((_, i) => i).filter((i) => s.low[i] !== null && s.high[i] !== null);
    ctx.beginPath();
    for (const i of all) ctx.lineTo(x.getPixelForValue(s.x[i]), y.getPixelForValue(s.high[i]));
    for (const i of all.reverse()) ctx.lineTo(x.getPixelForValue(s.x[i]), y.getPixelForValue(s.low[i]));
    ctx.fillStyle = paint + '38';
    ctx.fill();
  }

  /* The interval of each point, behind it; of bars before them. */
  const whiskers = {
    id: 'whiskers',
    beforeDatasetsDraw(chart) { if (chart.config.type !== 'bar') this.draw(chart, false); },
    afterDatasetsDraw(chart) { if (chart.config.type === 'bar') this.draw(chart, true); },
    draw(chart, bars) {
      const {ctx, chartArea: a, scales: {x, y}} = chart, sideways = chart.options.indexAxis === 'y';
      ctx.save();
      ctx.beginPath();
      ctx.rect(a.left - BEYOND, a.top - BEYOND, a.right - a.left + 2 * BEYOND, a.bottom - a.top + 2 * BEYOND);
      ctx.clip();
      ctx.lineWidth = bars ? 1.5 : 3;
      for (const [d, {source: s, borderColor}] of chart.data.datasets.entries()) {
        if (!s || !s.low) continue;
        if (!bars && s.x.length > MANY) {
          band(ctx, s, borderColor, x, y);
          continue;
        }
        ctx.strokeStyle = bars ? colour('--text') : borderColor + '60';
        chart.getDatasetMeta(d).data.forEach((element, i) => {
          if (s.low[i] === null || s.high[i] === null) return;
          const ends = [s.low[i], s.high[i]].map((v) => (sideways ? x : y).getPixelForValue(v));
          ctx.beginPath();
          for (const end of ends) ctx.lineTo(...(sideways ? [end, element.y] : [element.x, end]));
          ctx.stroke();
        });
      }
      ctx.restore();
    }
  };

  const selection = {
    id: 'selection',
    afterDraw(chart) {
      if (!chart.selected) return;
      const {from, to} = chart.selected, {ctx} = chart;
      ctx.save();
      ctx.fillStyle = colour('--c0') + '30';
      ctx.fillRect(from.x, from.y, to.x - from.x, to.y - from.y);
      ctx.restore();
    }
  };

  function axis(title, range, type) {
    const muted = colour('--muted');
    return {
      type,
      min: range[0],
      max: range[1],
      title: {display: title !== '', text: title, color: muted, font: {size: 11}},
      grid: {color: colour('--rule')},
      ticks: {color: muted, font: {size: 11}, maxRotation: 0, maxTicksLimit: 8, includeBounds: false, callback: tick}
    };
  }

  function configuration(plot) {
    const sideways = named(plot), sets = plot.series.map((s, i) => dataset(plot, s, i));
    if (plot.shares) sets.push(ideal(plot.range.x[1]));
    const scales = {
      x: axis(plot.x + (plot.log ? ' (logarithmic)' : ''), plot.range.x, plot.log ? 'logarithmic' : 'linear'),
      y: axis(plot.y, plot.range.y, 'linear')
    };
    if (plot.whole) scales.x.ticks.precision = 0; // no tick between two ranks
    if (sideways) {
      scales.x = axis(plot.y, plot.range.y, 'linear');
      scales.y = {
        ticks: {color: colour('--text'), font: {size: 11}, autoSkip: false, callback(value) { return cut(this.getLabelForValue(value)); }},
        grid: {display: false}
      };
    }
    return {
      type: plot.kind === 'bars' ? 'bar' : 'scatter',
      data: {labels: sideways ? plot.series[0].labels : undefined, datasets: sets},
      options: {
        indexAxis: sideways ? 'y' : 'x',
        animation: false,
        layout: {padding: {top: BEYOND, right: BEYOND}},
        maintainAspectRatio: false,
        interaction: {mode: 'nearest', intersect: plot.kind === 'points', axis: plot.kind === 'points' ? 'xy' : sideways ? 'y' : 'x'},
        scales,
        plugins: {legend: {display: false}, tooltip: tooltip(plot)}
      },
      plugins: [whiskers, selection]
    };
  }

  function rescale(chart, ranges) {
    for (const [name, range] of Object.entries(ranges)) {
      chart.options.scales[name].min = range[0];
      chart.options.scales[name].max = range[1];
    }
    chart.update();
  }

  /* Drag over a rectangle to look closer; a double click goes back. */
  function zoomable(chart, plot) {
    const canvas = chart.canvas, full = {x: plot.range.x, y: plot.range.y};
    const place = (event) => {
      const box = canvas.getBoundingClientRect(), a = chart.chartArea;
      return {
        x: Math.min(Math.max(event.clientX - box.left, a.left), a.right),
        y: Math.min(Math.max(event.clientY - box.top, a.top), a.bottom)
      };
    };
    canvas.addEventListener('pointerdown', (event) => {
      if (event.button !== 0 || event.pointerType === 'touch') return;
      canvas.setPointerCapture(event.pointerId);
      chart.selected = {from: place(event), to: place(event)};
    });
    canvas.addEventListener('pointermove', (event) => {
      if (!chart.selected) return;
      chart.selected.to = place(event);
      chart.draw();
    });
    canvas.addEventListener('pointercancel', () => { chart.selected = null; });
    canvas.addEventListener('pointerup', () => {
      if (!chart.selected) return;
      const {from, to} = chart.selected, {x, y} = chart.scales;
      chart.selected = null;
      if (Math.abs(to.x - from.x) < 8 || Math.abs(to.y - from.y) < 8) return chart.draw();
      const between = (scale, a, b) => [a, b].map((p) => scale.getValueForPixel(p)).sort((p, q) => p - q);
      rescale(chart, {x: between(x, from.x, to.x), y: between(y, from.y, to.y)});
    });
    canvas.addEventListener('dblclick', () => rescale(chart, full));
    canvas.title = 'Drag to look closer, double-click to go back';
  }

  function enliven(figure) {
    const picture = figure.querySelector('svg.chart'), data = figure.querySelector('script');
    if (charts.has(figure) || !picture || !data) return;
    const plot = JSON.parse(data.textContent), box = picture.getBoundingClientRect();
    const frame = document.createElement('div'), canvas = document.createElement('canvas');
    frame.className = 'live';
    frame.style.width = `${Math.ceil(box.width)}px`;
    frame.style.height = `${Math.ceil(box.height)}px`;
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', figure.querySelector('figcaption').textContent);
    frame.append(canvas);
    picture.before(frame);
    figure.classList.add('lively');
    const chart = new Chart(canvas, configuration(plot));
    if (!named(plot)) zoomable(chart, plot);
    charts.set(figure, chart);
  }

  function forget(figure) {
    charts.get(figure).destroy();
    charts.delete(figure);
    figure.classList.remove('lively');
    figure.querySelector('.live').remove();
  }

  if (typeof Chart === 'undefined') return;
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) enliven(entry.target);
  }, {rootMargin: '300px'});
  document.addEventListener('pointerover', (event) => {
    const figure = event.target.closest('figure');
    if (figure) enliven(figure);
  });
  const start = () => {
    for (const figure of [...charts.keys()]) forget(figure);
    seen.disconnect();
    for (const figure of document.querySelectorAll('figure')) seen.observe(figure);
  };
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', start);
  let width = innerWidth;
  addEventListener('resize', () => {
    if (innerWidth !== width) start();
    width = innerWidth;
  });
  start();
})();
