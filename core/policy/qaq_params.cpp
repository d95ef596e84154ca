#include "core/policy/qaq_params.h"

#include <cmath>

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq {
namespace {

void validate_side(const QaqSideParams& side, const char* name) {
  // Without quantization nothing else is read.
  if (side.level == Level::no_quantization) return;
  if (side.method == Method::normal && side.range_rule != RangeChoice::automatic) {
    refuse_usage({.place = cat(name, ".range_rule"),
                  .what = "method normal places its codes by the unit's mean and deviation",
                  .cure = cat("set ", name, ".range_rule=auto or ", name, ".method=uniform")});
  }
  if (!side.use_attentions) return;
  if (side.n_bits_min > side.n_bits_max) {
    refuse_usage({.place = cat(name, ".n_bits_min"),
                  .what = cat(side.n_bits_min, " is above n_bits_max ", side.n_bits_max),
                  .cure = "lower n_bits_min or raise n_bits_max"});
  }
  if (side.method == Method::normal) {
    refuse_usage({.place = cat(name, ".method"),
                  .what = "normal has no error bound, so use_attentions cannot choose its bits",
                  .cure = cat("set ", name, ".use_attentions=false or ", name, ".method=uniform")});
  }
  if (side.bits_rule == BitsRule::measured && side.variant == Variant::reference) {
    refuse_usage({.place = cat(name, ".bits_rule"),
                  .what = "measured needs a variance to keep, which variant reference has not",
                  .cure = cat("set ", name, ".variant=bound or ", name, ".bits_rule=formula")});
  }
  if (side.window_rule == WindowRule::fixed) return;
  if (side.sensitivity == Sensitivity::ema) {
    refuse_usage(
        {.place = cat(name, ".window_rule"),
         .what = "adaptive has no window to turn where sensitivity is ema",
         .cure = cat("set ", name, ".window_rule=fixed or ", name, ".sensitivity=window")});
  }
  const AdaptiveWindow& window = side.adaptive;
  if (window.n_min > window.n_max) {
    refuse_usage({.place = cat(name, ".n_min"),
                  .what = cat(window.n_min, " is above n_max ", window.n_max),
                  .cure = "lower n_min or raise n_max"});
  }
  if (window.lo > window.hi) {
    refuse_usage({.place = cat(name, ".lo"),
                  .what = cat(number_text(window.lo), " is above hi ", number_text(window.hi)),
                  .cure = "lower lo or raise hi"});
  }
}

void validate_eviction(const QaqParams& params) {
  if (!params.eviction.evicts()) return;
  if (params.eviction.mode == EvictMode::offload) {
    refuse_usage({.place = "evict_mode",
                  .what =
                      "offload fetches tokens by each query's proxy scores, and a plan keeps or "
                      "evicts a token for all queries alike",
                  .cure = "set evict_mode=drop"});
  }
  if (params.plan_stride > 1) {
    refuse_usage({.place = "plan_stride",
                  .what = "leaves tokens exact behind the last plan, and evict_factor counts every "
                          "step",
                  .cure = "set plan_stride=1 or evict_factor=0"});
  }
}

}  // namespace

RangeRule range_rule_of(const QaqSideParams& params) {
  switch (params.range_rule) {
    case RangeChoice::mean_centred:
      return RangeRule::mean_centred;
    case RangeChoice::midpoint:
      return RangeRule::midpoint;
    case RangeChoice::minmax:
      return RangeRule::minmax;
    case RangeChoice::automatic:
      break;
  }
  return params.variant == Variant::reference ? RangeRule::mean_centred : RangeRule::midpoint;
}

QaqParams qaq_params_of(const std::vector<Parameter>& parameters) {
  QaqParams params;
  for (const Parameter& parameter : parameters) {
    set_parameter(params, parameter.name, parameter.value);
  }
  return params;
}

void validate(const QaqParams& params) {
  for (const Parameter& parameter : list_parameters(params)) {
    const auto* number = std::get_if<double>(&parameter.value);
    if (number && !std::isfinite(*number)) {
      refuse_usage({.place = parameter.name,
                    .what = cat(*number, " is no finite number"),
                    .cure = "give a finite number"});
    }
    checked_value(parameter, parameter.value);
  }
  validate_side(params.key, "key");
  validate_side(params.value, "value");
  validate_eviction(params);
  if (params.dtype_bits != 16 && params.dtype_bits != 32) {
    refuse_usage({.place = "dtype_bits",
                  .what = cat(params.dtype_bits, " is not the size of a number"),
                  .cure = "give 16 or 32"});
  }
}

void refuse_eviction(const QaqParams& params, std::string_view what) {
  if (!params.eviction.evicts()) return;
  refuse_usage({.place = "evict_factor",
                .what = cat("evicts tokens, which ", what, " does not follow"),
                .cure = "set evict_factor=0; qaq replay without --streaming follows it"});
}

void refuse_plan_stride(const QaqParams& params, std::string_view what) {
  if (params.plan_stride == 1) return;
  refuse_usage(
      {.place = "plan_stride",
       .what = cat("leaves tokens exact behind the last plan, which ", what, " does not follow"),
       .cure = "set plan_stride=1"});
}

void require_all_keys(const QaqParams& params, const std::string& why) {
  if (params.sparse_top_k == 0) return;
  refuse_usage({.place = "sparse_top_k", .what = why, .cure = "set sparse_top_k=0"});
}

}  // namespace qaq
