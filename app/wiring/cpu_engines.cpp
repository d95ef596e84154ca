#include "app/wiring/cpu_engines.h"

#include <utility>

#include "core/engine/backend.h"

namespace qaq {

PrefixRun::OpenEngine cpu_engines(std::shared_ptr<const ModelSource> model,
                                  const EngineLimits& limits, const Work& work) {
  return [model = std::move(model), limits, work, first = true]() mutable {
    const Work silent(nullptr, work.stop_token());
    return make_cpu_backend()->open(model, limits, std::exchange(first, false) ? work : silent);
  };
}

}  // namespace qaq
