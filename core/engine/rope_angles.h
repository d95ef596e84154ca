#pragma once

#include "core/engine/ops.h"
#include "core/model/rope.h"
#include "core/tensor/nd_array.h"

namespace qaq {

/// Cosines and sines that rotate the rows of a run, times the model's attention factor.
struct RopeAngles {
  NdArray<float, 2> cos, sin;  ///< (rows of the run, n_rotary_dim / 2)
};

/// Fills `angles` for a run; its memory is kept where the size is the same. Angles in float64: at
/// position 8191 a float32 angle is off by 2e-4. On several threads.
void fill_rope_angles(const RopeSpec& rope, const BatchRows& run, RopeAngles& angles);

}  // namespace qaq
