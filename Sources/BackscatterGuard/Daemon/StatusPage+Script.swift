// What makes the page live: every five seconds status.json, put into the page as text, never as markup.

extension StatusPage {
    static let script = """

        'use strict';
        const byId = id => document.getElementById(id);
        const setText = (id, text) => { const node = byId(id); if (node) node.textContent = text; };
        const utc = seconds => new Date(seconds * 1000).toISOString().slice(0, 19) + 'Z';
        function fill(id, rows) {
          const body = byId(id);
          if (!body) return;
          const columns = body.parentElement.tHead.rows[0].cells.length;
          body.replaceChildren(...(rows.length ? rows : [[body.dataset.empty]]).map(cells => {
            const row = document.createElement('tr');
            if (!rows.length) row.className = 'none';
            for (const text of cells) {
              const cell = row.insertCell();
              cell.textContent = text;
              if (!rows.length) cell.colSpan = columns;
            }
            return row;
          }));
        }
        function scale(most) {
          for (let unit = 1; ; unit *= 10) for (const factor of [1, 2, 5]) if (unit * factor >= most) return unit * factor;
        }
        function draw(history) {
          const series = ['delivered', 'deferred', 'would_refuse', 'refused'], count = history.refused.length, wide = 720 / count;
          const top = scale(Math.max(0, ...history.refused.map((_, place) => series.reduce((sum, name) => sum + history[name][place], 0))));
          const below = new Array(count).fill(0), text = number => String(Math.round(number * 100) / 100);
          for (const name of series) {
            let path = '';
            history[name].forEach((value, place) => {
              if (value <= 0) return;
              const tall = value / top * 150, y = 150 - below[place] / top * 150 - tall;
              path += `M${text(place * wide)} ${text(y)}h${text(wide * 0.85)}v${text(tall)}h-${text(wide * 0.85)}z`;
              below[place] += value;
            });
            byId(`plot-${history.step}-${name}`).setAttribute('d', path);
          }
          setText(`plot-${history.step}-top`, top);
        }
        async function follow() {
          try {
            const status = await (await fetch('status.json', { cache: 'no-store' })).json();
            byId('state').className = status.page.tone;
            setText('state', status.page.headline);
            setText('time', utc(status.time));
            byId('problems').replaceChildren(...status.problems.map(text => Object.assign(document.createElement('li'), { textContent: text })));
            for (const figure of status.page.figures) setText(figure.id, figure.value);
            status.history.forEach(draw);
            for (const [id, rows] of Object.entries(status.page.tables)) fill(id, rows);
            document.body.dataset.live = String(Number(document.body.dataset.live || 0) + 1);
          } catch (error) {
            byId('state').className = 'bad';
            setText('state', 'guardd does not answer');
          }
        }
        setInterval(follow, 5000);
        follow();

        """
}
