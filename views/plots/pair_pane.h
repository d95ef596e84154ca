#pragma once

#include "views/models/pair_data.h"
#include "views/plots/color_bar.h"
#include "views/plots/decade_ticker.h"
#include "views/plots/jump_lines.h"
#include "views/plots/map_pane.h"
#include "views/plots/violation_marks.h"

namespace qaq::views {

/// How many pairs were worth so much in the window and so much in the row behind it, on two equal
/// logarithmic axes in fair shares, with the largest jumps as triangles.
class PairPane : public MapPane {
  Q_OBJECT

 public:
  explicit PairPane(QWidget* parent = nullptr);

  void show(const SharedPairs& pairs);
  /// The violation whose triangle is under `position`, in widget pixels.
  std::optional<Violation> violationAt(const QPointF& position) const;
  /// Where the pair of a cell of the slice lies; nothing where it has none.
  MarkedCell placeOf(int step, int token) const;
  /// "312 pairs, 4 of them violations; window maximum 0.1 to 0.126, score 2 to 2.51 fair shares".
  QString binText(int row, int column) const;

 protected:
  /// Both axes have as many px a decade.
  void updateLayout() override;

 private:
  class JumpMarks;

  QStringList subtitles() const;

  ColorBar* m_bar;
  JumpLines* m_lines;
  JumpMarks* m_marks;
  QSharedPointer<DecadeTicker> m_xDecades, m_yDecades;
  SharedPairs m_pairs;
};

/// "query heads 3–5" of "query head 4".
QString headsText(const HeadRange& heads);

}  // namespace qaq::views
