(function () {
  "use strict";
  const model = JSON.parse(document.getElementById("capacity-model").textContent);
  const three = (value) => {
    if (Math.abs(value) >= 1000) return grouped(value);
    return String(Number(value.toPrecision(3)));
  };
  const grouped = (value) => Math.round(value).toLocaleString("en-US");
  const powers = (value, units) => {
    const unit = units.find(([limit]) => Math.abs(value) >= limit);
    return unit ? three(value / unit[0]) + " " + unit[1] : null;
  };
  const says = {
    bare: (value) => String(value),
    exact: grouped,
    digits: (value) => (Math.abs(value) >= 1e4 ? grouped(value) : String(Number(value.toPrecision(4)))),
    percent: (value) => String(Number((100 * value).toPrecision(100 * value >= 99 ? 4 : 2))) + " %",
    size: (value) => powers(value, [[1e9, "GB"], [1e6, "MB"], [1e3, "KB"]]) || value.toFixed(0) + " B",
    bits: (value) => powers(value, [[1e9, "Gbit/s"], [1e6, "Mbit/s"], [1e3, "kbit/s"]]) || value.toFixed(0) + " bit/s",
    cores: (value) => (value < 10 ? value.toFixed(2) : value.toLocaleString("en-US", { minimumFractionDigits: 1, maximumFractionDigits: 1 })),
    rate: (value) => {
      const rounded = Number(value.toPrecision(3));
      for (const [limit, per, unit] of [[1e9, 1e9, " G"], [1e6, 1e6, " M"], [1e4, 1e3, " k"]])
        if (rounded >= limit) return three(rounded / per) + unit;
      return rounded.toLocaleString("en-US", { maximumFractionDigits: 10 });
    },
  };
  const functions = { ceil: Math.ceil, max: Math.max, min: Math.min };
  const told = { ...model.says };
  for (const input of model.inputs) told[input.name] = input.say;

  /** The value of each step for these inputs; NaN where one that it needs is not known. */
  function answer(inputs) {
    const values = { ...model.constants, ...inputs };
    for (const step of model.steps) {
      const names = Object.keys(values);
      const compute = new Function(...names, ...Object.keys(functions), "return " + step.expression);
      const value = compute(...names.map((name) => values[name]), ...Object.values(functions));
      values[step.name] = Number.isFinite(value) && value >= 0 ? value : NaN;
    }
    return values;
  }
  const said = (name, values) => (Number.isFinite(values[name]) ? says[told[name]](values[name]) : "–");
  const spelled = (expression, values) =>
    expression
      .replace(/ \* /g, " × ").replace(/ \/ /g, " ÷ ").replace(/ - /g, " − ").replace(/ceil\(/g, "round up (")
      .replace(/[a-z_][a-z0-9_]*/g, (name) => (name in values ? said(name, values) : name));
  const defaults = () => Object.fromEntries(model.inputs.map((one) => [one.name, one.value === null ? NaN : one.value]));
  if (typeof module !== "undefined") module.exports = { answer, said, spelled, defaults };
  if (!document.querySelector) return;

  const inputs = defaults();
  function show() {
    const values = answer(inputs);
    for (const step of model.steps) {
      document.querySelector(`[data-sum="${step.name}"]`).textContent = spelled(step.expression, values);
      document.querySelector(`[data-step="${step.name}"]`).textContent = said(step.name, values);
    }
    const tell = (name) => said(name, values);
    document.getElementById("capacity-answer").textContent = Number.isFinite(values.machines)
      ? `${tell("users")} users with a heartbeat each ${tell("heartbeat_s")} s and ${tell("messages_a_day")} messages a day each need ` +
        `${tell("machines")} machines of ${tell("machine_cores")} cores and ${tell("machine_bytes")}: ${tell("machines_for_cpu")} for the processor, ` +
        `${tell("machines_for_memory")} for memory, whichever is more, and ${tell("spare_machines")} that may fail. ` +
        `Each would hold ${tell("connections_a_machine")} connections, ${tell("beyond")} times as many as were measured.`
      : "The answer is withheld: not everything that it needs is known.";
  }
  for (const one of model.inputs) {
    const cell = document.querySelector(`[data-input="${one.name}"]`);
    const field = document.createElement("input");
    field.type = "number";
    field.min = "0";
    field.step = "any";
    field.value = one.value === null ? "" : String(Number((one.value / one.scale).toPrecision(6)));
    field.setAttribute("aria-labelledby", `given-${one.name}`);
    field.addEventListener("input", () => {
      inputs[one.name] = field.value === "" ? NaN : Number(field.value) * one.scale;
      show();
    });
    const unit = cell.dataset.unit;
    cell.replaceChildren(field, ...(unit ? [" " + unit] : []));
  }
  for (const hidden of document.querySelectorAll(".script-only")) hidden.hidden = false;
})();
