#pragma once

#include <functional>
#include <gtest/gtest.h>

#ifdef QAQ_USE_HIGHWAY
#include <hwy/highway.h>
#endif

#include "core/tensor/vector_math.h"

namespace qaq::test {

/// Calls body() once with each kind of vectors that was compiled and this processor has, widest
/// last; once without Highway.
inline void with_each_simd_target(const std::function<void()>& body) {
#ifdef QAQ_USE_HIGHWAY
  for (const std::int64_t target : {HWY_SSE4, HWY_AVX2, HWY_AVX3, HWY_NEON}) {
    if ((hwy::SupportedTargets() & target) == 0) continue;
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(target);
    {
      SCOPED_TRACE(simd_target_name());
      body();
    }
    hwy::SetSupportedTargetsForTest(0);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
#else
  body();
#endif
}

}  // namespace qaq::test
