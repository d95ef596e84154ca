#pragma once

#include <memory>

#include "core/base/progress.h"
#include "core/policy/cache_policy.h"
#include "core/replay/capture_view.h"

namespace qaq {

/// The policy with what it learns of a capture, which it is then used on others with. Holds the
/// whole cache of that capture meanwhile. Throws Error{usage} where the policy learns nothing.
std::shared_ptr<const CachePolicy> calibrated_on(const CachePolicy& policy,
                                                 const CaptureView& capture, const Work& work);

}  // namespace qaq
