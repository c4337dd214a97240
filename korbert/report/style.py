"""The page's colours and style sheet. Colours are named once, for both schemes; the PNGs use the light ones."""

from __future__ import annotations

LIGHT = {
    "paper": "#f7f6f3",
    "card": "#ffffff",
    "ink": "#23262b",
    "soft": "#626874",
    "line": "#e4e2dc",
    "trough": "#f1efea",
    "muted": "#878c96",
    "accent": "#c2410c",
    "kept": "#3a6ea5",
    "removed": "#d59a6a",
    "good": "#2f7d4f",
    "warn": "#a86a0b",
    "bad": "#b3261e",
    # One a run: neighbours differ in hue, all are of similar weight on the card.
    "run0": "#2f6fb3",
    "run1": "#c8553d",
    "run2": "#3d8a5f",
    "run3": "#8059ad",
    "run4": "#a97a16",
    "run5": "#1f8f98",
    "run6": "#b24d80",
    "run7": "#5b6675",
}
DARK = {
    "paper": "#16181c",
    "card": "#1e2126",
    "ink": "#e6e7ea",
    "soft": "#a0a6b1",
    "line": "#31353d",
    "trough": "#272b32",
    "muted": "#8b919d",
    "accent": "#ff8a4c",
    "kept": "#6fa3dc",
    "removed": "#b97f4f",
    "good": "#6cc08b",
    "warn": "#e0ac55",
    "bad": "#f2857c",
    "run0": "#6aa7e8",
    "run1": "#ec8a73",
    "run2": "#74c497",
    "run3": "#b596df",
    "run4": "#d9b052",
    "run5": "#5cc3cb",
    "run6": "#e288b4",
    "run7": "#a3adbb",
}

# The names that elements carry as a class; it sets --c, which strokes, fills and swatches use.
_CHART_COLOURS = [name for name in LIGHT if name not in ("paper", "card", "ink", "soft", "line", "trough")]

_RULES = """
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,
"Apple SD Gothic Neo","Noto Sans KR","Noto Sans CJK KR","Malgun Gothic",sans-serif;word-break:keep-all;
overflow-wrap:break-word}
main,header,footer{max-width:1120px;margin:0 auto;padding:0 28px}
header{padding-top:44px}
h1{font-size:30px;line-height:1.2;letter-spacing:-.02em;margin:0 0 6px;font-weight:650}
h2{font-size:21px;letter-spacing:-.01em;margin:52px 0 4px;font-weight:620}
h3{font-size:15px;margin:0 0 10px;font-weight:620}
p{margin:0 0 14px}
.lead,.soft,figcaption{color:var(--soft)}
.lead{margin:0 0 18px;max-width:72ch}
section>p{max-width:76ch;color:var(--soft)}
nav{display:flex;flex-wrap:wrap;gap:4px 18px;padding:12px 0;border-top:1px solid var(--line);
border-bottom:1px solid var(--line);margin:20px 0 26px;font-size:14px}
a{color:var(--kept);text-decoration-thickness:1px;text-underline-offset:3px}
nav a{color:var(--soft);text-decoration:none}
nav a:hover,nav a:focus{color:var(--ink);text-decoration:underline}
.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:18px 20px;margin:0 0 18px}
.grid{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:18px}
.grid>.card{margin:0}
.grid+*,.scroll+.scroll{margin-top:18px}
.grid>.wide{grid-column:1/-1}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(128px,1fr));gap:14px 24px;margin:0 0 16px}
.tile b{display:block;font-size:23px;line-height:1.25;font-weight:620;letter-spacing:-.015em;
font-variant-numeric:tabular-nums}
.tile span{color:var(--soft);font-size:13px}
figure{margin:0}
figcaption{font-size:13px;margin-top:8px}
svg{display:block;width:100%;height:auto;overflow:visible}
svg text{font-size:12px;fill:var(--soft);font-family:inherit;font-variant-numeric:tabular-nums}
svg .axis{font-size:11.5px}
svg .label,svg .strong{fill:var(--ink)}
svg .grid{stroke:var(--line);display:inline}
svg .rule{stroke:var(--muted)}
svg .line{fill:none;stroke:var(--c);stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
svg .line.faint{stroke-width:1;opacity:.32}
svg .line.dashed{stroke-dasharray:5 4}
svg .line.muted{stroke-width:1.5}
svg .line.accent{stroke-width:3}
svg .dot{fill:var(--c);stroke:var(--card);stroke-width:1}
svg .ring{fill:none;stroke:var(--c);stroke-width:1.6}
svg .level{stroke:var(--c);stroke-width:1.3;stroke-dasharray:6 4}
svg .note{fill:var(--c);font-size:11.5px;paint-order:stroke;stroke:var(--card);stroke-width:4px;
stroke-linejoin:round}
svg .event{stroke:var(--c);stroke-width:1.4;stroke-dasharray:1.5 3.5}
svg .flag,svg .bar{fill:var(--c)}
svg .trough{fill:var(--trough)}
svg .seed{fill:var(--c);opacity:.6}
svg .spread{stroke:var(--c);stroke-width:6;opacity:.3;stroke-linecap:round}
svg .mean{stroke:var(--c);stroke-width:2.6;stroke-linecap:round}
.scroll{overflow-x:auto;margin:0 -4px;padding:0 4px}
.scroll:focus-visible,summary:focus-visible,a:focus-visible,input:focus-visible+label{outline:2px solid var(--kept);
outline-offset:2px;border-radius:3px}
table{border-collapse:collapse;width:100%;font-size:14px;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--soft);font-size:13px;padding:0 0 6px}
th,td{padding:7px 12px 7px 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
th{font-weight:560;color:var(--soft);font-size:13px;white-space:nowrap}
tbody th{color:var(--ink);font-size:14px}
.card>details:first-child{margin-top:0}
tbody tr:last-child>*{border-bottom:0}
.n{text-align:right;white-space:nowrap}
th:last-child,td:last-child{padding-right:0}
tr.winner>*{font-weight:620}
.state{white-space:nowrap}
.state::before,.swatch::before{content:"";display:inline-block;width:9px;height:9px;border-radius:50%;
background:var(--c);margin-right:7px}
.swatch{white-space:nowrap}
.legend{display:flex;flex-wrap:wrap;gap:2px 20px;margin:0 0 12px;padding:0;list-style:none;font-size:14px}
td{white-space:nowrap}
.counts{color:var(--soft);font-size:13px;white-space:normal;min-width:17ch;max-width:72ch}
.switched+.card{margin-top:18px}
.counts b{color:var(--ink);font-weight:560}
.counts span{white-space:nowrap;margin-right:12px;display:inline-block}
.notes{border-left:3px solid var(--warn);padding:2px 0 2px 14px;margin:0 0 18px;color:var(--soft);font-size:14px}
.notes p{margin:0}
.absent{color:var(--soft);font-style:italic}
details{margin:12px 0 0}
summary{cursor:pointer;color:var(--soft);font-size:13px}
details[open]>summary{margin-bottom:10px}
pre{font:12.5px/1.55 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-x:auto;margin:0;
padding:14px 16px;background:var(--trough);border-radius:8px}
code{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.pick{position:absolute;opacity:0}
.switch{display:inline-flex;border:1px solid var(--line);border-radius:7px;overflow:hidden;margin:0 0 14px;
font-size:13px;background:var(--card)}
.switch label{padding:4px 13px;cursor:pointer;color:var(--soft)}
#by-step:checked~.switch label[for=by-step],#by-tokens:checked~.switch label[for=by-tokens]{background:var(--kept);
color:var(--card)}
#by-step:focus-visible~.switch,#by-tokens:focus-visible~.switch{outline:2px solid var(--kept);outline-offset:2px}
#by-step:checked~.tokens-charts,#by-tokens:checked~.step-charts{display:none}
footer{margin-top:56px;padding-top:16px;padding-bottom:40px;color:var(--soft);font-size:13px}
footer>div{border-top:1px solid var(--line);padding-top:16px}
@media (max-width:760px){
 main,header,footer{padding-left:16px;padding-right:16px}
 header{padding-top:26px}
 h1{font-size:25px}
 h2{margin-top:40px}
 .grid{grid-template-columns:minmax(0,1fr)}
 .card{padding:14px 12px}
 svg text,svg .axis{font-size:13.5px}
}
@media print{
 body{font-size:11pt;background:#fff}
 nav,.switch{display:none}
 .card,figure,tr{break-inside:avoid}
 h2,h3{break-after:avoid}
 main,header,footer{max-width:none;padding:0}
 .scroll{overflow:visible}
 pre{white-space:pre-wrap}
}
"""


def sheet() -> str:
    """The whole style sheet."""
    light, dark = _variables(LIGHT), _variables(DARK)
    classes = "".join(f".{name}{{--c:var(--{name})}}" for name in _CHART_COLOURS)
    return (
        f":root{{color-scheme:light dark;{light}}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n{classes}{_RULES}"
    )


def _variables(colours: dict[str, str]) -> str:
    return "".join(f"--{name}:{value};" for name, value in colours.items())
