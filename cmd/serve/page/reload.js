// reload.js - the page is loaded again when a file of the site changes, or when the server is back;
// style sheets are exchanged where they are.
(() => {
  'use strict';
  const news = new EventSource('/.hail/events');
  let met = false;
  news.addEventListener('open', () => {
    if (met) location.reload();
    met = true;
  });
  news.addEventListener('page', () => location.reload());
  news.addEventListener('style', () => {
    for (const link of document.querySelectorAll('link[rel~=stylesheet]')) {
      const url = new URL(link.href);
      if (url.origin !== location.origin) continue;
      url.searchParams.set('hail', Date.now());
      link.href = url;
    }
  });
})();
