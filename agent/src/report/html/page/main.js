// Draws the page, and again what depends on its width.

function start() {
  if (report.loops.length === 0) {
    for (const section of document.querySelectorAll('.scripted > section')) section.hidden = true;
    return;
  }
  startTimeline();
  startWall();
  startStalls();
  startFlame();
  startFigures();
}

addEventListener('keydown', (event) => {
  const typing = document.activeElement === $('flame-search');
  if (!isPlain(event)) return;
  if (typing && event.key === 'Escape') {
    $('flame-search').value = '';
    $('flame-search').dispatchEvent(new Event('input'));
    $('flame-search').blur();
  } else if (!typing && event.key === '/' && report.flame !== null) {
    event.preventDefault();
    $('flame-search').focus();
  }
});
let width = innerWidth;
addEventListener('resize', () => {
  if (innerWidth === width || report.loops.length === 0) return;
  width = innerWidth;
  drawTimeline();
  drawFlame();
});
// On paper there is nothing to open.
addEventListener('beforeprint', () => {
  for (const box of document.querySelectorAll('details')) box.open = true;
});
start();
