// listing.js - search and sorting without asking the server again, and the keyboard. Without it the
// page's form and links do the same.
(() => {
  'use strict';
  const $ = id => document.getElementById(id);
  const search = $('q'), table = $('entries'), body = table.tBodies[0], count = $('count');
  const rows = [...body.rows], whole = table.dataset.whole === 'yes';
  const all = count.textContent;
  const names = rows.map(r => r.cells[0].textContent.toLowerCase());

  function filter() {
    const wanted = search.value.trim().toLowerCase();
    let n = 0;
    rows.forEach((row, i) => {
      const hit = names[i].includes(wanted);
      row.hidden = !hit;
      n += hit;
    });
    count.textContent = wanted ? `${n} of ${rows.length} found` : all;
  }

  const key = {
    name: row => row.cells[0].textContent,
    size: row => Number(row.cells[1].dataset.v),
    modified: row => Number(row.cells[2].dataset.v),
  };
  const collator = new Intl.Collator(undefined, {numeric: true, sensitivity: 'base'});

  function sort(th, by) {
    const down = th.getAttribute('aria-sort') === 'ascending';
    const keys = new Map(rows.map(row => [row, key[by](row)]));
    const compare = by === 'name' ? collator.compare : (a, b) => a - b;
    const folder = row => row.classList.contains('folder') ? 0 : 1;
    rows.sort((a, b) => folder(a) - folder(b) ||
      (down ? -1 : 1) * compare(keys.get(a), keys.get(b)));
    rows.forEach((row, i) => { names[i] = row.cells[0].textContent.toLowerCase(); });
    for (const other of table.tHead.rows[0].cells) other.removeAttribute('aria-sort');
    th.setAttribute('aria-sort', down ? 'descending' : 'ascending');
    body.append(...rows);
  }

  if (whole) {
    search.addEventListener('input', filter);
    search.form.addEventListener('submit', event => {
      event.preventDefault();
      const first = rows.find(row => !row.hidden);
      if (first) first.querySelector('a').focus();
    });
    for (const th of table.tHead.rows[0].cells)
      th.firstElementChild.addEventListener('click', event => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        sort(th, th.dataset.by);
      });
    if (search.value) filter();
  }

  // the times as the reader's clock has them
  for (const time of table.querySelectorAll('time')) {
    const at = new Date(time.dateTime), two = n => String(n).padStart(2, '0');
    time.textContent = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ` +
      `${two(at.getHours())}:${two(at.getMinutes())}`;
  }

  function step(by) {
    const seen = rows.filter(row => !row.hidden).map(row => row.querySelector('a'));
    const at = seen.indexOf(document.activeElement);
    const to = at < 0 ? (by > 0 ? 0 : seen.length - 1) : at + by;
    if (seen[to]) seen[to].focus();
    else if (to < 0) search.focus();
  }

  document.addEventListener('keydown', event => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const typing = document.activeElement === search;
    const keys = {
      '/': () => search.focus(),
      ArrowDown: () => step(1), j: () => step(1),
      ArrowUp: () => step(-1), k: () => step(-1),
      u: () => { const up = $('up'); if (up) up.click(); },
    };
    if (event.key === 'Escape' && typing) {
      search.value = '';
      if (whole) filter();
      search.blur();
    } else if (keys[event.key] && !(typing && event.key.length === 1)) {
      event.preventDefault();
      keys[event.key]();
    }
  });
})();
