"""A dashboard as a page of HTML: its panels in their grid, each with its data."""

from html import escape

import cells
import graphs

COLUMN, CELL, GAP = 58, 30, 8
STYLE = """
body{margin:0;background:#111217;color:#ccccdc;font:13px Inter,Roboto,'Liberation Sans','DejaVu Sans',sans-serif}
header{padding:14px 16px 2px;font-size:17px}header span{color:#8e8e8e;font-size:12px;margin-left:12px}
main{position:relative;margin:8px}
section{position:absolute;background:#181b1f;border:1px solid #25282e;border-radius:2px;overflow:hidden;box-sizing:border-box}
section h2{font-size:13px;font-weight:500;margin:0;padding:6px 8px 4px;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
h3{position:absolute;margin:0;font-size:15px;font-weight:500;padding-top:6px}
.stat{display:flex;flex-direction:column;align-items:center;justify-content:center;height:calc(100% - 38px);margin:2px 6px;border-radius:2px;font-weight:500;white-space:nowrap}
.stat small{font-size:12px}.quiet{color:#9fa7b3;font-size:20px}
.none{color:#8e8e8e;text-align:center;padding-top:40px}
.legend{font-size:11px;padding:0 8px;max-height:56px;overflow:hidden}.legend span{margin-right:12px;white-space:nowrap;display:inline-block;line-height:18px}
.legend i{display:inline-block;width:12px;height:3px;margin-right:6px;vertical-align:middle}
.beside{display:flex}table.legend{width:318px;max-height:none;border-spacing:0;align-self:flex-start}table.legend td,table.legend th{padding:2px 5px;text-align:right;font-weight:400;white-space:nowrap}
table.legend td:first-child,table.legend th:first-child{text-align:left;max-width:190px;overflow:hidden;text-overflow:ellipsis}
table.rows,table.bars{width:100%;border-collapse:collapse}table.rows td,table.rows th{padding:4px 8px;border-bottom:1px solid #25282e;text-align:left;white-space:nowrap;font-weight:400;height:18px}
table.rows th{color:#6e9fff}td.num,th.num{text-align:right!important}td.link{color:#6e9fff}
table.bars td{padding:6px 8px;white-space:nowrap}td.wide{width:60%}td.wide div{height:18px;border-radius:2px}
svg{display:block}svg text{font-family:inherit}
"""


def page(board, prometheus, note):
    """The whole page, and its size."""
    variables = board["templating"]["list"]
    parts, bottom = [], 0
    for panel in board["panels"]:
        grid = panel["gridPos"]
        left, top = grid["x"] * COLUMN, grid["y"] * (CELL + GAP)
        width, height = grid["w"] * COLUMN - GAP, grid["h"] * (CELL + GAP) - GAP
        bottom = max(bottom, top + height)
        place = f'style="left:{left}px;top:{top}px;width:{width}px;height:{height}px"'
        if panel["type"] == "row":
            parts.append(f'<h3 style="left:{left}px;top:{top}px">▾ {escape(panel["title"])}</h3>')
            continue
        answers = prometheus.panel(panel, variables, width)
        inside = drawn(panel, answers, prometheus, width - 2, height - 32)
        parts.append(f'<section {place}><h2>{escape(panel["title"])}</h2>{inside}</section>')
    text = (
        f'<!DOCTYPE html><meta charset="utf-8"><style>{STYLE}</style>'
        f'<header>{escape(board["title"])}<span>{escape(note)}</span></header><main>{"".join(parts)}</main>'
    )
    return text, (24 * COLUMN + GAP, bottom + 64)


def drawn(panel, answers, prometheus, width, height):
    """What is inside a panel."""
    kind, span = panel["type"], (prometheus.now - prometheus.back, prometheus.now)
    if kind == "timeseries":
        return graphs.timeseries(panel, answers, span, width, height)
    if kind == "heatmap":
        return graphs.heatmap(panel, answers, span, width, height)
    if kind == "state-timeline":
        return graphs.timeline(panel, answers, span, width, height)
    if kind == "table":
        return cells.table(panel, answers, height)
    if kind == "bargauge":
        return cells.bargauge(panel, answers)
    return cells.stat(panel, answers, width, height + 32)
