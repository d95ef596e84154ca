#pragma once

#include <QPainter>
#include <QString>
#include <memory>
#include <optional>
#include <vector>

#include "core/analysis/token_strips.h"
#include "core/analysis/token_units.h"
#include "core/base/progress.h"
#include "views/models/analysis.h"
#include "views/plots/color_map.h"
#include "views/plots/theme.h"

namespace qaq::views {

/// The tokens of a capture as they are written, measured once, on any thread.
struct TokenText {
  std::vector<QString> shown;
  std::vector<float> width;               ///< px
  std::vector<std::uint8_t> spaceBefore;  ///< 1: a space stands before it
  std::vector<std::uint8_t> breaksLine;   ///< 1: a line ends behind it
  std::vector<std::uint8_t> special;
  double scale = 1;  ///< of the screen that it was measured for
};
std::shared_ptr<const TokenText> measureTokens(const CaptureInfo& info, const Work& work = {});

/// What TokenFlow draws, made on a worker. Immutable.
struct TokenContent {
  SharedSlice slice;
  std::shared_ptr<const TokenText> text;
  Granularity granularity = Granularity::token;
  bool allHeads = false;          ///< strips of all layers and heads, else of the slice's
  std::vector<TokenRange> units;  ///< of the granularity
  std::vector<std::int32_t> unitOf;
  TokenStrips strips;
  int values = 0;  ///< of a token in one head, of keys and values: the most outliers
};
using SharedTokenContent = std::shared_ptr<const TokenContent>;

struct TokenRequest {
  SharedSlice slice{};
  std::shared_ptr<const TokenText> text{};  ///< null, or of another capture or scale: measured anew
  const CaptureView* textOf = nullptr;
  Granularity granularity = Granularity::token;
  bool allHeads = false;
};
SharedTokenContent makeTokenContent(const TokenRequest& request, const Work& work = {});

/// What is marked, by position.
struct TokenMarks {
  std::optional<int> hovered, locked, pinned;
  SelectionSet selected;
  std::vector<std::int32_t> found;  ///< ascending
};

/// Text in lines of one height, with strips of 8 px below each token. Lines are broken by adding up
/// widths; where their tokens stand is worked out for the lines that are drawn, and for no others.
class TokenFlow {
 public:
  enum class Strip { keyBits, valueBits, outliers, attention };

  void setContent(const SharedTokenContent& content);
  void setWidth(double width);
  void setTheme(const Theme& theme) { m_theme = theme; }
  /// Tokens that are shown, ascending; nothing: all.
  void setShown(std::optional<std::vector<std::int32_t>> tokens);
  TokenMarks& marks() { return m_marks; }

  const SharedTokenContent& content() const { return m_content; }
  int lineCount() const { return m_starts.empty() ? 0 : static_cast<int>(m_starts.size()) - 1; }
  double lineHeight() const;
  double height() const { return lineCount() * lineHeight(); }
  int shownCount() const;

  /// Draws lines from `top` px of the text on into `area`.
  void draw(QPainter* painter, const QRectF& area, double top);
  std::optional<int> tokenAt(const QPointF& position, double top) const;
  /// Line of a token; nothing where it is not shown.
  std::optional<int> lineOf(int token) const;
  /// Where the token's text stands, the flow's first line being at 0.
  QRectF textRect(int token) const;
  /// Where its strip `row` (0: the first) lies.
  QRectF stripRect(int token, int row) const;
  /// The shown token on the line `by` lines away that stands nearest to above or below `token`.
  int neighbour(int token, int by) const;
  /// The shown token `by` places away, inside the text.
  int stepped(int token, int by) const;
  /// The strips that there are, from above, with their names, numbers and colours.
  std::vector<Strip> strips() const;
  const std::vector<float>& numbers(Strip strip) const;
  ColorMap colors(Strip strip) const;
  QStringList stripNames() const;
  /// Colour of strip `row` of a token; nothing where none is drawn.
  /// No cell of the strip's cache that the strip is of keeps the token.
  bool isEvicted(int token, Strip strip) const;
  std::optional<QRgb> stripColor(int token, int row) const;

  /// Lines whose tokens were placed by the last draw().
  int laidOutLines() const { return m_laidOut; }

  static constexpr Px<double> kMargin{70};  ///< px at the left, for the strips' names
  static constexpr Px<double> kStrip{8};

 private:
  struct Placed {
    std::int32_t token;
    double x, width;
    double joined;   ///< width up to the next token of the unit on the line
    bool gapBefore;  ///< tokens before it are not shown
  };
  std::vector<Placed> place(int line) const;
  std::optional<Placed> placeOf(int token) const;
  std::int32_t tokenOf(std::size_t shown) const;
  std::size_t indexOf(int token) const;  ///< first shown token at or behind it
  double gapBefore(std::size_t shown) const;
  void breakLines();
  int exactFrom(CacheSide side) const;
  void drawLine(QPainter* painter, const std::vector<Placed>& line, double y) const;
  void drawStrip(QPainter* painter, const Placed& token, Strip strip, const QRectF& box) const;
  void drawMarks(QPainter* painter, const Placed& token, double y) const;
  bool isMarked(const std::optional<int>& mark, std::int32_t token) const;

  SharedTokenContent m_content;
  std::optional<std::vector<std::int32_t>> m_shown;
  std::vector<std::size_t> m_starts;  ///< by line: first shown token; and one behind the last
  double m_width = 600;
  Theme m_theme = Theme::of(ThemeKind::light);
  TokenMarks m_marks;
  int m_laidOut = 0;
};

}  // namespace qaq::views
