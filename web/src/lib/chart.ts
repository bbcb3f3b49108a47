// uPlot with its style sheet, in a chunk of its own.
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'

export interface SpeedChart {
  set(times: number[], values: number[]): void
  destroy(): void
}

// A line over time, in the colours of the page as they are now.
export function speedChart(holder: HTMLElement): SpeedChart {
  const colour = (name: string) => getComputedStyle(holder).getPropertyValue(name).trim()
  const axis = { stroke: colour('--ink-2'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false }, font: '11px Inter, sans-serif' }
  const plot = new uPlot({
    width: holder.clientWidth,
    height: 130,
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 14, 0, 0],
    scales: { x: { time: false, range: [-120, 0] }, y: { range: (_plot, _low, high) => [0, Math.max(1, (high || 0) * 1.15)] } },
    axes: [
      { ...axis, values: (_plot, all) => all.map((each) => `${each} s`), space: 55 },
      { ...axis, size: 36, space: 30 },
    ],
    series: [{}, { stroke: colour('--accent'), width: 2, fill: colour('--chart-fill'), points: { show: false } }],
  }, [[], []], holder)
  const watch = new ResizeObserver(() => plot.setSize({ width: holder.clientWidth, height: 130 }))
  watch.observe(holder)
  return {
    set: (times, values) => plot.setData([times, values]),
    destroy: () => {
      watch.disconnect()
      plot.destroy()
    },
  }
}
