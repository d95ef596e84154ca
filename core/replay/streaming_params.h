#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "core/base/error.h"
#include "core/base/parameters.h"
#include "core/policy/importance_rule.h"

namespace qaq {

/// What a unit that gets fewer bits is quantized from: what the device holds of it, or the host's
/// copy.
enum class DemoteFrom { gpu, cpu };
template <>
struct ChoiceNames<DemoteFrom> {
  static constexpr std::array<std::string_view, 2> names{"gpu", "cpu"};
};

/// What goes over the link in one transfer: a unit, or all that moves of a layer of one cache.
enum class FetchGranularity { unit, layer };
template <>
struct ChoiceNames<FetchGranularity> {
  static constexpr std::array<std::string_view, 2> names{"unit", "layer"};
};

/// Where the queries of a step come from: the capture (teacher-forced), or a model that runs on the
/// quantized cache.
enum class StreamingLoop { open, closed };
template <>
struct ChoiceNames<StreamingLoop> {
  static constexpr std::array<std::string_view, 2> names{"open", "closed"};
};

/// How decode is replayed step by step, beside the policy's own parameters.
struct StreamingParams {
  StreamingLoop loop = StreamingLoop::open;
  ImportanceRule importance = ImportanceRule::window_max;
  DemoteFrom demote_from = DemoteFrom::gpu;
  bool refetch_equal = false;
  bool requantize_history = false;
  int promote_hysteresis = 0;
  int demote_patience = 1;
  FetchGranularity fetch_granularity = FetchGranularity::unit;
  double pcie_latency_us = 10;
  double pcie_bandwidth = 25e9;
  double overlap = 0;
  double t_compute = 0;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& v) {
    v(ParameterInfo{.name = "loop",
                    .help = "Where a step's queries come from: the capture (open), or a model that "
                            "runs on the quantized cache (closed), which a capture cannot give"},
      self.loop);
    v(ParameterInfo{.name = "importance",
                    .help = "What the score of a token is taken to be: the maximum of the last "
                            "last_n_attentions rows; or of all its rows a moving average, a "
                            "maximum that fades, or the sum, for which no token is too young"},
      self.importance);
    v(ParameterInfo{.name = "demote_from",
                    .help = "What a unit that gets fewer bits is quantized from: what the device "
                            "holds of it (the paper), or the host's copy, which is fetched"},
      self.demote_from);
    v(ParameterInfo{.name = "refetch_equal",
                    .help =
                        "Fetch units whose bits stay, too, as the paper's algorithm is written"},
      self.refetch_equal);
    v(ParameterInfo{.name = "requantize_history",
                    .help = "At every plan quantize all units again from what the device holds, by "
                            "its own range, as caches do that read their whole history back at "
                            "each flush; nothing is fetched"},
      self.requantize_history);
    v(ParameterInfo{.name = "promote_hysteresis",
                    .help = "Promote only where this many bits more than one are missing",
                    .unit = "bits",
                    .min = 0,
                    .max = 16},
      self.promote_hysteresis);
    v(ParameterInfo{.name = "demote_patience",
                    .help = "Demote only after this many successive plans with fewer bits; what is "
                            "not quantized yet does not wait",
                    .unit = "plans",
                    .min = 1,
                    .max = 1e6},
      self.demote_patience);
    v(ParameterInfo{.name = "fetch_granularity",
                    .help = "What goes over the link in one transfer: a unit, or all that moves of "
                            "a layer of one cache"},
      self.fetch_granularity);
    v(ParameterInfo{.name = "pcie_latency_us",
                    .help = "Link model: what a transfer costs beside its bytes",
                    .unit = "us",
                    .min = 0,
                    .max = 1e6},
      self.pcie_latency_us);
    v(ParameterInfo{.name = "pcie_bandwidth",
                    .help = "Link model: bytes a second, each way",
                    .unit = "B/s",
                    .min = 1,
                    .max = 1e15,
                    .log_scale = true,
                    .slider_min = 1e9,
                    .slider_max = 1e12},
      self.pcie_bandwidth);
    v(ParameterInfo{.name = "overlap",
                    .help = "Link model: share of fetching that can hide behind t_compute",
                    .min = 0,
                    .max = 1},
      self.overlap);
    v(ParameterInfo{.name = "t_compute",
                    .help = "Link model: what a step takes without fetching; hides nothing at 0",
                    .unit = "s",
                    .min = 0,
                    .max = 1e6},
      self.t_compute);
  }
};

/// Throws Error{usage} for values out of range, and for another loop than the one that is there:
/// what is streamed decides it.
inline void validate(const StreamingParams& params, StreamingLoop there = StreamingLoop::open) {
  for (const Parameter& parameter : list_parameters(params)) {
    checked_value(parameter, parameter.value);
  }
  if (params.loop == there) return;
  if (params.loop == StreamingLoop::closed) {
    refuse_usage({.place = "loop",
                  .what = "closed needs a model that answers to the quantized cache, which a "
                          "capture alone is not",
                  .cure = "set loop=open, or run a model: qaq run --policy qaq"});
  }
  refuse_usage({.place = "loop",
                .what = "open takes a step's queries from a capture, and here a model runs on the "
                        "quantized cache",
                .cure = "leave it out, or replay a capture: qaq replay --streaming"});
}

}  // namespace qaq
