// The page's looks: one column, tabular numbers, the system's fonts, colours for light and dark.

extension StatusPage {
    static let style = """

        :root { --ink: #1d2430; --soft: #5d6878; --line: #dde2ea; --paper: #f7f8fa; --card: #fff; --good: #2f7d5b; --warn: #a86a00; --bad: #b3362b;
          --refused: #b3362b; --would_refuse: #d99a2b; --deferred: #7b6fb5; --delivered: #6d9dc5; }
        @media (prefers-color-scheme: dark) {
          :root { --ink: #e4e8ee; --soft: #97a3b4; --line: #2c3440; --paper: #12161c; --card: #1a2029; --good: #63c397; --warn: #e0ac55; --bad: #ef8177;
            --refused: #e3675c; --would_refuse: #d9a440; --deferred: #9b8fd6; --delivered: #5486b0; }
        }
        * { box-sizing: border-box; }
        body { margin: 0 auto; max-width: 62rem; padding: 1.5rem 1.25rem 3rem; background: var(--paper); color: var(--ink);
          font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; font-variant-numeric: tabular-nums; }
        header { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: .25rem 1rem; border-bottom: 1px solid var(--line); }
        h1 { font-size: 1.35rem; font-weight: 650; margin: 0 0 .6rem; } h1 span { color: var(--soft); font-weight: 400; }
        h2 { font-size: .95rem; font-weight: 650; margin: 1.75rem 0 .5rem; }
        #state { margin: 0; font-weight: 600; } #state::before { content: "● "; }
        .good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
        #problems { list-style: none; margin: 1rem 0 0; padding: 0; }
        #problems li { border-left: 3px solid var(--warn); background: var(--card); padding: .35rem .75rem; margin: .3rem 0; overflow-wrap: anywhere; }
        .figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .6rem; margin: 1.25rem 0; }
        .figures div { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .6rem .8rem; }
        .figures b { display: block; font-size: 1.3rem; font-weight: 600; } .figures span { color: var(--soft); font-size: .82rem; }
        .plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: .6rem; }
        figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .6rem .8rem; }
        figcaption { color: var(--soft); font-size: .82rem; margin-bottom: .3rem; }
        svg { display: block; width: 100%; height: auto; } svg line { stroke: var(--line); } svg text { fill: var(--soft); font-size: 18px; } svg path { shape-rendering: crispEdges; }
        path.refused, i.refused { fill: var(--refused); background: var(--refused); } path.would_refuse, i.would_refuse { fill: var(--would_refuse); background: var(--would_refuse); }
        path.deferred, i.deferred { fill: var(--deferred); background: var(--deferred); } path.delivered, i.delivered { fill: var(--delivered); background: var(--delivered); }
        .legend { color: var(--soft); font-size: .82rem; margin: .5rem 0 0; } .legend i { display: inline-block; width: .7em; height: .7em; margin: 0 .35em 0 .8em; border-radius: 2px; }
        .pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 0 1.25rem; }
        .scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 6px; }
        table { border-collapse: collapse; width: 100%; font-size: .88rem; }
        th, td { text-align: left; padding: .35rem .8rem; border-top: 1px solid var(--line); vertical-align: top; } thead th { border-top: 0; color: var(--soft); font-weight: 500; white-space: nowrap; }
        td { overflow-wrap: anywhere; } .events td:nth-child(-n+3) { white-space: nowrap; } .events td:nth-child(4) { min-width: 8.5rem; }
        .hosts :is(th, td):last-child, .victims :is(th, td):last-child { text-align: right; } .none td:only-child { color: var(--soft); text-align: left; }
        footer { margin-top: 2rem; color: var(--soft); font-size: .82rem; } a { color: inherit; }

        """
}
