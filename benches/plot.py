"""Plots as SVG, without any library: a line over a logarithmic axis, and bars."""

import math

WIDTH, HEIGHT, LEFT, BOTTOM = 640, 320, 60, 50
STYLE = "font-family='sans-serif' font-size='12'"


def line(title, label, points):
    """Cost over steps, the steps evenly apart: they grow by factors."""
    top = nice(max(cost for _, cost in points))
    right = WIDTH - 20

    def place(index, cost):
        x = LEFT + (right - LEFT) * index / max(len(points) - 1, 1)
        return x, HEIGHT - BOTTOM - (HEIGHT - BOTTOM - 40) * cost / top

    spots = [place(index, cost) for index, (_, cost) in enumerate(points)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
    parts = [*frame(title, top), f"<polyline points='{path}' fill='none' stroke='#2563eb' stroke-width='2'/>"]
    for (x, y), (step, cost) in zip(spots, points):
        parts.append(f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3' fill='#2563eb'/>")
        parts.append(f"<text x='{x:.1f}' y='{y - 8:.1f}' text-anchor='middle' {STYLE}>{cost:.1f}</text>")
        parts.append(f"<text x='{x:.1f}' y='{HEIGHT - BOTTOM + 18}' text-anchor='middle' {STYLE}>{step:,}</text>")
    parts.append(f"<text x='{WIDTH / 2}' y='{HEIGHT - 8}' text-anchor='middle' {STYLE}>{label}</text>")
    return svg(parts, HEIGHT)


def bars(title, rows):
    """One bar for each name, the shortest first."""
    longest, height = max(cost for _, cost in rows), 50 + 26 * len(rows)
    parts = [f"<text x='10' y='24' {STYLE} font-weight='bold'>{title}</text>"]
    for index, (name, cost) in enumerate(rows):
        y, width = 40 + 26 * index, (WIDTH - 230) * cost / longest
        colour = "#2563eb" if name == "rcorn" else "#94a3b8"
        parts.append(f"<text x='140' y='{y + 14}' text-anchor='end' {STYLE}>{name}</text>")
        parts.append(f"<rect x='150' y='{y}' width='{width:.1f}' height='18' fill='{colour}'/>")
        parts.append(f"<text x='{156 + width:.1f}' y='{y + 14}' {STYLE}>{cost:.1f}</text>")
    return svg(parts, height)


def frame(title, top):
    yield f"<text x='{LEFT}' y='20' {STYLE} font-weight='bold'>{title}</text>"
    for quarter in range(5):
        y = HEIGHT - BOTTOM - (HEIGHT - BOTTOM - 40) * quarter / 4
        yield f"<line x1='{LEFT}' y1='{y:.1f}' x2='{WIDTH - 20}' y2='{y:.1f}' stroke='#e2e8f0'/>"
        yield f"<text x='{LEFT - 8}' y='{y + 4:.1f}' text-anchor='end' {STYLE}>{top * quarter / 4:g}</text>"


def nice(value):
    """The next number that is easily read as the end of an axis."""
    scale = 10 ** math.floor(math.log10(value))
    return next(step * scale for step in (1, 1.2, 1.6, 2, 3, 4, 6, 8, 10) if step * scale >= value)


def svg(parts, height):
    body = "\n".join(parts)
    head = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' width='{WIDTH}' height='{height}'>"
    return f"{head}\n<rect width='100%' height='100%' fill='white'/>\n{body}\n</svg>\n"
