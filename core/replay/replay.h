#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>

#include "core/base/progress.h"
#include "core/policy/cache_policy.h"
#include "core/policy/qaq_params.h"
#include "core/replay/capture_view.h"
#include "core/replay/replay_result.h"

namespace qaq {

struct ReplayOptions {
  QaqParams params;
  std::int64_t prefix = 0;  ///< tokens to quantize; 0: all
  /// A rival (core/policy/policies.h) in place of QAQ with `params`. Null: QAQ.
  std::shared_ptr<const CachePolicy> policy{};
};

/// Replays a capture through a policy: quantizes the first `prefix` tokens
/// of K and V with the attention rows before it, then measures what changed (keys, values, scores
/// and outputs of the captured rows s >= prefix, or of all rows where there is none).
/// Same capture and options: the same bytes, whatever the thread count.
/// Throws Error{usage} for bad parameters, Error{input} where the capture lacks what they need
/// (the cure says how to capture it), Error{interrupted} when stopped.
SharedReplay replay(const CaptureView& capture, const ReplayOptions& options,
                    const Work& work = {});

/// The metrics under the authors' names, with ours beside them; what was not computed is null.
/// What `qaq replay --json` prints and a stored run keeps.
nlohmann::ordered_json metrics_json(const ReplayResult& result);
/// Packed bytes by part, and their sum.
nlohmann::ordered_json packed_json(const PackedBytes& packed);

}  // namespace qaq
