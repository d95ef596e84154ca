#pragma once

#include <memory>
#include <string>

#include "core/base/progress.h"
#include "core/engine/engine.h"
#include "core/engine/memory_plan.h"
#include "core/model/model_source.h"

namespace qaq {

struct DeviceInfo {
  std::string kind;      ///< "cpu" or "cuda"
  std::string name;      ///< as the machine calls its processor
  std::string driver{};  ///< what it is driven by, with its version; empty: nothing that matters
  std::int64_t available_bytes = 0;
};

/// Where models run: the CPU here; the seam that a GPU backend implements too.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual DeviceInfo info() const = 0;
  virtual MemoryPlan plan(const ModelSource& model, const EngineLimits& limits) const = 0;
  /// Throws Error{work} when the plan does not fit, Error{input} for a broken weight.
  virtual std::unique_ptr<Engine> open(std::shared_ptr<const ModelSource> model,
                                       const EngineLimits& limits, const Work& work = {}) const = 0;
};

/// float32 on the CPU: the reference.
std::unique_ptr<Backend> make_cpu_backend();

}  // namespace qaq
