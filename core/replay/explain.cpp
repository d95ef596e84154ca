#include "core/replay/explain.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/quant/quantize.h"
#include "core/quant/unit_grid.h"
#include "core/replay/captured_layers.h"
#include "core/tensor/vector_math.h"

namespace qaq {
namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void refuse_cell(const std::string& what, const std::string& cure) {
  refuse_usage({.place = "--cell", .what = what, .cure = cure});
}

void check_range(const char* name, std::int64_t number, std::int64_t count) {
  if (number >= 0 && number < count) return;
  refuse_cell(cat(name, " ", number, " is out of range"), cat("give 0 to ", count - 1));
}

void measure_cell(const CaptureView& capture, const PlannedCache& planned, std::int64_t layer,
                  CellExplanation& out) {
  const SharedArray<float, 3> exact = exact_layer(capture, out.cell.side, layer);
  const SharedArray<float, 3> values = quantized_layer(capture, planned, layer);
  const auto row = exact->sub(out.cell.kv_head, out.cell.token).span();
  for (std::size_t i = 0; i < row.size(); ++i) {
    out.n_outliers += out.stats.is_outlier(row[i], static_cast<std::int64_t>(i)) ? 1 : 0;
  }
  out.rms_error =
      std::sqrt(squared_distance(values->sub(out.cell.kv_head, out.cell.token).span(), row) /
                static_cast<double>(row.size()));
}

Json number_or_null(double x) { return std::isfinite(x) ? Json(x) : Json(nullptr); }

template <class Enum>
std::string choice_name(Enum value) {
  return std::string(ChoiceNames<Enum>::names[static_cast<std::size_t>(value)]);
}

}  // namespace

std::int64_t checked_layer(const CaptureInfo& info, const CellAddress& cell) {
  const auto index = captured_index(info.layers, cell.layer);
  if (!index) {
    refuse_cell(cat("layer ", cell.layer, " was not captured"),
                cat("give the model's number of a captured layer: ", layer_list(info.layers)));
  }
  check_range("KV head", cell.kv_head, info.shape.n_kv_heads);
  check_range("token", cell.token, info.n_tokens);
  return *index;
}

const char* name_of(BitChoice::Clamp clamp) {
  switch (clamp) {
    case BitChoice::Clamp::min:
      return "n_bits_min";
    case BitChoice::Clamp::max:
      return "n_bits_max";
    case BitChoice::Clamp::none:
      break;
  }
  return "none";
}

// What the units of one cache have in common.
struct Explainer::Side {
  PolicyView view;
  UnitFactsTable facts;
  PlannedCache planned;
  std::int64_t first_forced;
};

Explainer::Explainer(const CaptureView& capture, const ReplayOptions& options)
    : capture_(capture),
      policy_(options.params),
      prefix_(checked_prefix(capture.info(), options.prefix)),
      n_planned_(planned_tokens(policy_.needs(CacheSide::key), prefix_)),
      planner_(capture) {}

Explainer::~Explainer() = default;

const Explainer::Side& Explainer::side(CacheSide which, const Work& work) {
  std::unique_ptr<const Side>& known = sides_[static_cast<std::size_t>(which)];
  if (!known) {
    const PolicyView view = planner_.view(policy_, which, n_planned_, work);
    known = std::make_unique<const Side>(Side{
        view,
        policy_.facts(view),
        {which, policy_.plan(view), view.stats},
        policy_.side_params(which).use_attentions ? policy_.rule(view).first_forced : n_planned_});
  }
  return *known;
}

CellExplanation Explainer::explain(const CellAddress& cell, const Work& work) {
  const CaptureInfo& info = capture_.info();
  CellExplanation out;
  out.cell = cell;
  out.prefix = prefix_;
  const std::int64_t layer = checked_layer(info, cell);
  if (!info.token_text.empty()) {
    out.token_text = info.token_text[static_cast<std::size_t>(cell.token)];
  }
  out.params = policy_.side_params(cell.side);
  if (out.params.level == Level::no_quantization) {
    out.why_exact = "level is no-quantization";
    return out;
  }
  if (cell.token >= out.prefix) {
    out.why_exact = cat("the token lies behind the prefix of ", out.prefix, " tokens");
    return out;
  }

  if (cell.token >= n_planned_) {
    out.why_exact = cat("the token came behind the last plan, which met ", n_planned_, " tokens");
    return out;
  }
  if (const auto tokens = planner_.kept(policy_, prefix_, work);
      tokens && (*tokens)(layer, cell.kv_head, cell.token) == 0) {
    out.evicted = true;
    out.why_exact = "its importance stayed too long below evict_factor of even attention";
    return out;
  }

  const auto& [view, facts, planned, first_forced] = side(cell.side, work);
  const auto unit = static_cast<std::size_t>(view.layout.unit(layer, cell.kv_head, cell.token));
  out.prefix = n_planned_;
  out.unit_size = view.layout.unit_size();
  out.stats = view.stats[unit].behind(view.layout.first_in_unit(layer, cell.kv_head));
  out.bits = explain_bits(out.params, cell.side, view.layout.shape(), facts[unit]);
  BitChoice& choice = out.bits.choice;
  choice.of_block = planned.plan.n_bits[unit] > choice.n_bits;
  choice.n_bits = planned.plan.n_bits[unit];
  out.first_forced = std::clamp<std::int64_t>(facts[unit].first_forced, 0, first_forced);
  if (out.params.method == Method::uniform) {
    out.grid = unit_grid(planned.plan.quantizer, out.stats, planned.plan.n_bits[unit]);
  }
  measure_cell(capture_, planned, layer, out);
  return out;
}

CellExplanation explain_cell(const CaptureView& capture, const ReplayOptions& options,
                             const CellAddress& cell, const Work& work) {
  return Explainer(capture, options).explain(cell, work);
}

Json explanation_json(const CellExplanation& x) {
  Json out{{"cell",
            {{"cache", name_of(x.cell.side)},
             {"layer", x.cell.layer},
             {"kv_head", x.cell.kv_head},
             {"token", x.cell.token},
             {"text", x.token_text}}},
           {"prefix", x.prefix},
           {"variant", choice_name(x.params.variant)},
           {"level", choice_name(x.params.level)},
           {"method", choice_name(x.params.method)},
           {"range_rule", choice_name(range_rule_of(x.params))},
           {"exact", nullptr}};
  if (!x.why_exact.empty()) {
    out[x.evicted ? "evicted" : "exact"] = x.why_exact;
    return out;
  }
  out["unit"] = {{"values", x.unit_size},
                 {"inliers", x.stats.n_inliers},
                 {"outliers_up_to", number_or_null(x.stats.low)},
                 {"outliers_above", number_or_null(x.stats.high)},
                 {"min", x.stats.min},
                 {"max", x.stats.max},
                 {"mean", x.stats.mean}};
  if (x.params.method == Method::normal) out["unit"]["deviation"] = x.stats.deviation;
  out["steps"] = Json::array();
  for (const BitStep& step : x.bits.steps) {
    out["steps"].push_back({{"symbol", step.symbol},
                            {"meaning", step.meaning},
                            {"formula", step.formula()},
                            {"numbers", step.numbers()},
                            {"value", number_or_null(step.value)}});
  }
  const BitChoice& choice = x.bits.choice;
  out["bits"] = {{"before_rounding", number_or_null(x.bits.before_rounding)},
                 {"wanted", choice.wanted},
                 {"n_bits_min", x.params.n_bits_min},
                 {"n_bits_max", x.params.n_bits_max},
                 {"clamp", name_of(choice.clamp)},
                 {"forced", choice.forced},
                 {"first_forced_token", x.first_forced},
                 {"of_block", choice.of_block},
                 {"bound_unmet", choice.unmet},
                 {"n_bits", choice.n_bits}};
  out["grid"] = nullptr;
  if (x.params.method == Method::uniform) {
    out["grid"] = {{"base", x.grid.base},
                   {"scale", x.grid.scale},
                   {"lowest_code", x.grid.lowest},
                   {"highest_code", x.grid.highest},
                   {"offset", x.grid.offset}};
  }
  if (x.stats.has_ties()) {
    out["outliers_tied"] = {{"up_to", number_or_null(x.stats.tied_low)},
                            {"above", number_or_null(x.stats.tied_high)},
                            {"last_place", x.stats.last_tied}};
  }
  out["outliers_in_cell"] = x.n_outliers;
  out["rms_error"] = x.rms_error;
  return out;
}

}  // namespace qaq
