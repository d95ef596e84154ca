#include "data/models/ggml_type.h"

#include <algorithm>
#include <array>

namespace qaq {
namespace {

// Sizes of types that cannot be run are known too, so that their files can be checked and listed.
constexpr std::array<GgmlType, 34> kTypes{{
    {0, "F32", 1, 4, WeightType::f32},
    {1, "F16", 1, 2, WeightType::f16},
    {2, "Q4_0", 32, 18, WeightType::q4_0},
    {3, "Q4_1", 32, 20, WeightType::q4_1},
    {6, "Q5_0", 32, 22, WeightType::q5_0},
    {7, "Q5_1", 32, 24, WeightType::q5_1},
    {8, "Q8_0", 32, 34, WeightType::q8_0},
    {9, "Q8_1", 32, 36},
    {10, "Q2_K", 256, 84},
    {11, "Q3_K", 256, 110, WeightType::q3_k},
    {12, "Q4_K", 256, 144, WeightType::q4_k},
    {13, "Q5_K", 256, 176, WeightType::q5_k},
    {14, "Q6_K", 256, 210, WeightType::q6_k},
    {15, "Q8_K", 256, 292},
    {16, "IQ2_XXS", 256, 66},
    {17, "IQ2_XS", 256, 74},
    {18, "IQ3_XXS", 256, 98},
    {19, "IQ1_S", 256, 50},
    {20, "IQ4_NL", 32, 18, WeightType::iq4_nl},
    {21, "IQ3_S", 256, 110},
    {22, "IQ2_S", 256, 82},
    {23, "IQ4_XS", 256, 136, WeightType::iq4_xs},
    {24, "I8", 1, 1},
    {25, "I16", 1, 2},
    {26, "I32", 1, 4},
    {27, "I64", 1, 8},
    {28, "F64", 1, 8},
    {29, "IQ1_M", 256, 56},
    {30, "BF16", 1, 2, WeightType::bf16},
    {34, "TQ1_0", 256, 54},
    {35, "TQ2_0", 256, 66},
    {39, "MXFP4", 32, 17},
    {40, "NVFP4", 64, 36},
    {41, "Q1_0", 128, 18},
}};

}  // namespace

const GgmlType* find_ggml_type(std::uint32_t number) {
  const auto at = std::find_if(kTypes.begin(), kTypes.end(),
                               [&](const GgmlType& type) { return type.number == number; });
  return at == kTypes.end() ? nullptr : &*at;
}

}  // namespace qaq
