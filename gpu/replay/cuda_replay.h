#pragma once

#include <memory>

#include "core/replay/replay_kernel.h"

namespace qaq::cuda {

/// Replays on the GPU. A layer's queries, keys and values travel while the layer before it is
/// measured; where many plans will come and all layers fit the GPU's memory they stay there. Exact
/// scores are made once a layer (see ReplaySizes::given_scores); plans go on together, as many as
/// fit. Values and outliers are core's to the bit. Errors of scores and outputs follow from float32
/// products in another order than the CPU's, which moves a score by some 1e-6 whatever quantizing
/// does to it: so the roots of two rows' errors differ by 1e-6, and means over a capture by 1e-7 of
/// them at 4 bits, 2e-6 at 8. Throws Error{work} where the GPU has too little memory, Error{usage}
/// where scores with ALiBi are to be compared, which the kernels do not make.
std::unique_ptr<ReplayKernel> open_replay(const CaptureView& capture, const ReplayScope& scope,
                                          const Work& work);

}  // namespace qaq::cuda
