"""The doctor's HTML report as a browser draws it: nothing sticks out, everything can be read, nothing foreign runs.
LETTERLOCK_PICTURES=FOLDER keeps the pictures, for people to look at."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from chromium import Chromium

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("LETTERLOCK_BUILD", ROOT / "build"))
LANGUAGES, KINDS, WIDTHS = ("en", "zh"), ("trouble", "healthy", "hostile"), (360, 1280)

# Whatever reaches beyond the window, unless it stands in a box of its own that scrolls.
STICKS_OUT = """
  const out = [], width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) out.push('page ' + document.documentElement.scrollWidth);
  for (const e of document.querySelectorAll('body *')) {
    if (e.closest('.drawing') && !e.classList.contains('drawing')) continue;
    const box = e.getBoundingClientRect();
    if (box.width && (box.right > width + 0.5 || box.left < -0.5)) out.push(e.tagName + '.' + e.className);
  }
  return out;"""
# Words of one cell that lie over those of its neighbour.
OVERLAPS = """
  const out = [];
  for (const mark of document.querySelectorAll('.notes .mark')) {
    const a = mark.getBoundingClientRect(), b = mark.nextElementSibling.getBoundingClientRect();
    if (a.right > b.left + 0.5 && a.bottom > b.top + 0.5 && b.bottom > a.top + 0.5) out.push(mark.textContent);
  }
  return out;"""
# Words of the drawing that are wider than the box they stand in.
SPILLS = """
  const out = [];
  for (const box of document.querySelectorAll('svg .tree-leaf, svg .tree-question')) {
    const outer = box.getBBox();
    for (let e = box.nextElementSibling; e && e.tagName === 'text'; e = e.nextElementSibling) {
      const inner = e.getBBox();
      if (inner.x < outer.x + 2 || inner.x + inner.width > outer.x + outer.width - 2 || inner.y < outer.y ||
          inner.y + inner.height > outer.y + outer.height) out.push(e.textContent);
    }
  }
  const whole = document.querySelector('svg').viewBox.baseVal;
  for (const e of document.querySelectorAll('svg rect, svg text')) {
    const b = e.getBBox();
    if (b.x < 0 || b.x + b.width > whole.width || b.y + b.height > whole.height) out.push('beyond the drawing: ' + e.textContent);
  }
  return out;"""
# Text with less contrast to what is behind it than WCAG 2 asks for (4.5 to 1).
FAINT = """
  const parse = c => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = c => { const v = parse(c).slice(0, 3).map(x => x / 255).map(x => x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    return 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2]; };
  const ratio = (a, b) => { const x = light(a), y = light(b); return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05); };
  const behind = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor, v = parse(c);
    if (v.length === 3 || v[3] > 0) return c; } return 'rgb(255,255,255)'; };
  const out = [];
  for (const e of document.querySelectorAll('body *')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) || e.closest('svg')) continue;
    const r = ratio(getComputedStyle(e).color, behind(e));
    if (r < 4.5) out.push(r.toFixed(1) + ' ' + e.textContent.slice(0, 30));
  }
  for (const e of document.querySelectorAll('svg text')) {
    const r = ratio(getComputedStyle(e).fill, behind(e.closest('section')));
    if (r < 4.5) out.push(r.toFixed(1) + ' ' + e.textContent);
  }
  return out;"""

pytestmark = pytest.mark.skipif(not shutil.which("chromium"), reason="chromium is not installed")


@pytest.fixture(scope="module")
def browser():
    browser = Chromium()
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reports")
    for lang in LANGUAGES:
        for kind in KINDS:
            made = subprocess.run([BUILD / "tests/tools/report_sample", lang, kind], stdout=subprocess.PIPE, check=True)
            (folder / f"{lang}-{kind}.html").write_bytes(made.stdout)
    return folder


def keep(browser, name):
    folder = os.environ.get("LETTERLOCK_PICTURES")
    if folder:
        (pathlib.Path(folder) / f"{name}.png").write_bytes(browser.picture())


@pytest.mark.parametrize("dark", (False, True), ids=("light", "dark"))
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_everything_has_its_place_and_can_be_read(browser, reports, lang, width, dark):
    for kind in KINDS:
        browser.show(reports / f"{lang}-{kind}.html", width, dark=dark)
        keep(browser, f"{lang}-{kind}-{width}-{'dark' if dark else 'light'}")
        assert browser.run(STICKS_OUT) == [], kind
        assert browser.run(OVERLAPS) == [], kind
        assert browser.run(SPILLS) == [], kind
        assert browser.run(FAINT) == [], kind
        assert browser.complaints == [], kind
        styled = browser.run("return getComputedStyle(document.querySelector('section')).borderRadius")
        assert styled != "0px", "the policy keeps the style out"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_foreign_words_do_nothing(browser, reports, lang):
    browser.show(reports / f"{lang}-hostile.html", 1280)
    assert browser.run("return document.title") != "taken"
    assert browser.run("return document.querySelectorAll('script, img, iframe, link, object, a, form').length") == 0
    assert "<script>document.title='taken'</script>" in browser.run("return document.querySelector('pre').textContent")
    # and what got in nevertheless would not run: the page may run no script of its own
    browser.run("const s = document.createElement('script'); s.textContent = 'document.title = \"taken\"'; document.body.append(s);")
    assert browser.run("return document.title") != "taken"
    assert any("Content Security Policy" in c for c in browser.complaints)


def test_it_can_be_printed(browser, reports):
    browser.show(reports / "en-trouble.html", 1280, dark=True, media="print")
    assert browser.run("return getComputedStyle(document.body).color") == "rgb(26, 28, 30)", "dark words on paper"
    paper = browser.paper()
    assert paper.startswith(b"%PDF-")
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", paper)) <= 8


def test_the_verdict_comes_first(browser, reports):
    browser.show(reports / "en-trouble.html", 360)
    top = browser.run("return document.querySelector('.says').getBoundingClientRect().bottom")
    assert top < 400
    assert browser.run("return document.querySelector('.says').textContent").startswith("The password begins or ends with a space")
