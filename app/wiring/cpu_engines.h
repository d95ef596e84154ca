#pragma once

#include <memory>

#include "core/base/progress.h"
#include "core/engine/engine.h"
#include "core/evaluate/prefix_run.h"
#include "core/model/model_source.h"

namespace qaq {

/// Opens engines of one model on the CPU, as a PrefixRun asks for them. The first, the whole
/// cache's, tells how loading gets on.
PrefixRun::OpenEngine cpu_engines(std::shared_ptr<const ModelSource> model,
                                  const EngineLimits& limits, const Work& work);

}  // namespace qaq
