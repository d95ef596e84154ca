#pragma once

#include <QImage>
#include <QSize>
#include <QString>
#include <memory>
#include <vector>

#include "views/models/window_services.h"
#include "views/plots/palette.h"

namespace qaq::views {

/// A sample as its card shows it.
struct SamplePicture {
  QImage image;   ///< the bit map of V, or the attention of the slice with the most violations
  QString facts;  ///< what is in it, or what its setting leads to
  QString error;  ///< why there is no picture; else empty
};

/// Opens each sample, replays it with its parameters and draws it. Takes a good part of a second:
/// for worker threads. A sample that cannot be opened has an error; the others go on.
std::shared_ptr<const std::vector<SamplePicture>> drawSamples(const QList<Sample>& samples,
                                                              const CaptureOpener& opener,
                                                              ThemeKind theme, const QSize& pixels,
                                                              const Work& work);

}  // namespace qaq::views
