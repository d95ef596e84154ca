#pragma once

#include <cstdint>

namespace qaq {

// Where a diagnosis draws its lines, in one place.

/// The part to blame repairs a step when it alone, left exact, brings the expected token back and
/// leaves at most this share of the KL. Stricter than what confirms a cause: a counterfactual still
/// quantizes, and has to find room below kConfirmedShare.
inline constexpr double kRepairedShare = 0.25;
/// A counterfactual confirms its cause when the expected token is back and less than half of the KL
/// is left: more was due to the cause than to everything else together.
inline constexpr double kConfirmedShare = 0.5;
/// Above this share nothing was repaired, and the cause is ruled out; between the two it stays a
/// hypothesis.
inline constexpr double kUnmovedShare = 0.9;
/// KL (nat) that a run on the whole cache's own numbers may show. Rounding gives 1e-9 (the
/// reference replay's case without quantization); float16 numbers give some 1e-6.
inline constexpr double kRoundingKl = 1e-4;
/// A predicate that holds for cells of less than this share of the suspects' scores is not
/// replayed: what it could repair is too little.
inline constexpr double kLeastSuspectShare = 0.1;
/// The paper's sinks are the first tokens of a text (StreamingLLM keeps four).
inline constexpr std::int64_t kSinkTokens = 4;
/// A head whose first tokens take more than half of its row rests on them.
inline constexpr double kSinkMass = 0.5;
/// A query norm doubled is half a bit: below that, rounding up to whole bits hides it.
inline constexpr double kNormRatio = 2;
/// A bias this many times the median layer's stands out (community reports speak of tens).
inline constexpr double kBiasRatio = 4;
/// A row's error may exceed its promise by this much by chance: rounding errors of 16 values have a
/// mean square within 2.25 times what is expected, 5 standard deviations.
inline constexpr double kPromiseSlack = 1.5;
/// The range falls to half where one bit less would do.
inline constexpr double kRangeShare = 0.5;
/// Clipped values carry most of a row's squared error.
inline constexpr double kClippedShare = 0.5;
/// Bits that flat bits are raised by; the error falls to a quarter, as with the target's.
inline constexpr int kMoreBits = 2;
inline constexpr double kTargetDivisor = 4;

}  // namespace qaq
