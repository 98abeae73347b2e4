use super::*;

const TEAM: Token = Token::extra(0, "x-team");
static NAMES: Names = Names::new(&[TEAM]);

fn bytes(hex: &str) -> Vec<u8> {
    let hex: Vec<char> = hex.chars().filter(|digit| !digit.is_whitespace()).collect();
    hex.chunks(2).map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap()).collect()
}

fn text(line: Line<'_>) -> String {
    let name = match line.name {
        LineName::Pseudo(pseudo) => format!(":{pseudo:?}").to_lowercase(),
        LineName::Known(token) => token.as_str().into(),
        LineName::Text(text) => text.into(),
        LineName::Malformed => "MALFORMED".into(),
    };
    format!("{name}: {}", line.value.escape_ascii())
}

fn decode_all(decoder: &mut Decoder, block: &[u8]) -> Result<Vec<String>, DecodeError> {
    let mut lines = Vec::new();
    let size = decoder.decode(block, usize::MAX, &mut |line| lines.push(text(line)))?;
    assert!(size >= lines.len() * ENTRY_OVERHEAD);
    Ok(lines)
}

/// Blocks of one connection, each with its lines; after each, the size of the table.
fn check(blocks: &[(&str, &[&str], usize)]) {
    let mut decoder = Decoder::new(&NAMES);
    for (block, lines, size) in blocks {
        let want: Vec<String> = lines.iter().map(|line| line.to_string()).collect();
        assert_eq!(decode_all(&mut decoder, &bytes(block)), Ok(want), "{block}");
        assert_eq!(decoder.size, *size, "{block}");
        assert_eq!(decoder.size, decoder.entries.iter().map(Entry::size).sum::<usize>());
    }
}

/// RFC 7541, Appendix C.2.
#[test]
fn examples_of_single_fields() {
    check(&[("400a637573746f6d2d6b65790d637573746f6d2d686561646572", &["custom-key: custom-header"], 55)]);
    check(&[("040c2f73616d706c652f70617468", &[":path: /sample/path"], 0)]);
    check(&[("100870617373776f726406736563726574", &["password: secret"], 0)]);
    check(&[("82", &[":method: GET"], 0)]);
}

/// RFC 7541, Appendix C.3 and C.4.
#[test]
fn examples_of_requests() {
    let lines: [&[&str]; 3] = [
        &[":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"],
        &[
            ":method: GET",
            ":scheme: http",
            ":path: /",
            ":authority: www.example.com",
            "cache-control: no-cache",
        ],
        &[
            ":method: GET",
            ":scheme: https",
            ":path: /index.html",
            ":authority: www.example.com",
            "custom-key: custom-value",
        ],
    ];
    check(&[
        ("828684410f7777772e6578616d706c652e636f6d", lines[0], 57),
        ("828684be58086e6f2d6361636865", lines[1], 110),
        ("828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565", lines[2], 164),
    ]);
    check(&[
        ("828684418cf1e3c2e5f23a6ba0ab90f4ff", lines[0], 57),
        ("828684be5886a8eb10649cbf", lines[1], 110),
        ("828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf", lines[2], 164),
    ]);
}

/// RFC 7541, Appendix C.5 and C.6: a table of 256 bytes.
#[test]
fn examples_of_responses_with_eviction() {
    let cookie = "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1";
    let lines: [&[&str]; 3] = [
        &[
            ":status: 302",
            "cache-control: private",
            "date: Mon, 21 Oct 2013 20:13:21 GMT",
            "location: https://www.example.com",
        ],
        &[
            ":status: 307",
            "cache-control: private",
            "date: Mon, 21 Oct 2013 20:13:21 GMT",
            "location: https://www.example.com",
        ],
        &[
            ":status: 200",
            "cache-control: private",
            "date: Mon, 21 Oct 2013 20:13:22 GMT",
            "location: https://www.example.com",
            "content-encoding: gzip",
            cookie,
        ],
    ];
    let resize = "3fe101";
    let first =
        "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e17
        68747470733a2f2f7777772e6578616d706c652e636f6d";
    let third =
        "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a
        4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31";
    check(&[
        (&format!("{resize}{first}"), lines[0], 222),
        ("4803333037c1c0bf", lines[1], 222),
        (third, lines[2], 215),
    ]);
    let first = "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3";
    let third =
        "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960
        d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007";
    check(&[
        (&format!("{resize}{first}"), lines[0], 222),
        ("4883640effc1c0bf", lines[1], 222),
        (third, lines[2], 215),
    ]);
}

#[test]
fn names_keep_their_class_in_the_table() {
    // x-team, te, :path and x-other are inserted, then repeated by index, then by name.
    let insert = "4006782d7465616d0161 4002746501 62 44 0163 4007782d6f746865720164";
    let lines: &[&str] = &["x-team: a", "te: b", ":path: c", "x-other: d"];
    check(&[
        (insert, lines, 39 + 35 + 38 + 40),
        ("c1c0bfbe", lines, 152),
        ("0f320165 0f310166 0f300167 0f2f0168", &["x-team: e", "te: f", ":path: g", "x-other: h"], 152),
    ]);
}

/// RFC 9113, section 8.2.1: a malformed field spoils its message and not the connection.
#[test]
fn malformed_fields_are_marked_and_kept_in_step() {
    for (field, value, text) in [
        ("41", "61", "a"),
        ("00", "61", "a"),
        ("3a78", "61", "a"),
        ("c3a9", "61", "a"),
        ("ff", "61", "a"),
        ("61", "00", "\\x00"),
        ("61", "0d", "\\r"),
        ("61", "0a", "\\n"),
        ("61", "20", " "),
        ("61", "7f", "\\x7f"),
    ] {
        let literal = format!("40{:02x}{field}{:02x}{value}", field.len() / 2, value.len() / 2);
        let line = format!("MALFORMED: {text}");
        let size = 32 + field.len() / 2 + value.len() / 2;
        check(&[
            (&literal, &[&line], size),
            ("be", &[&line], size),
            ("82be", &[":method: GET", &line], size),
        ]);
    }
    // The name alone may be used again.
    check(&[("4001610100", &["MALFORMED: \\x00"], 34), ("7e0162", &["a: b"], 68)]);
    check(&[("4000 0161", &["MALFORMED: a"], 33)]);
}

#[test]
fn every_beginning_of_a_block_is_whole_or_truncated() {
    let block = bytes("82 400a637573746f6d2d6b65790d637573746f6d2d686561646572 0f10 0162 7e0162");
    for len in 0..=block.len() {
        let result = decode_all(&mut Decoder::new(&NAMES), &block[..len]);
        match [0, 1, 27, 31, 34].iter().position(|&end| end == len) {
            Some(lines) => assert_eq!(result.map(|lines| lines.len()), Ok(lines)),
            None => assert_eq!(result, Err(DecodeError::Truncated), "{len}"),
        }
    }
}

fn check_error(block: &str, error: DecodeError) {
    assert_eq!(decode_all(&mut Decoder::new(&NAMES), &bytes(block)), Err(error), "{block}");
}

#[test]
fn an_index_that_is_not_there_is_an_error() {
    check_error("80", DecodeError::Index);
    check_error("be", DecodeError::Index);
    check_error("7e0161", DecodeError::Index);
    check_error("ffffffff7f", DecodeError::Index);
    check(&[("bd", &["www-authenticate: "], 0)]);
}

/// RFC 7541, sections 4.2 and 6.3.
#[test]
fn the_table_changes_its_size_at_the_beginning_of_a_block_and_within_its_bound() {
    check_error("8220", DecodeError::TableSize);
    check_error("3fe21f", DecodeError::TableSize);
    let field = "400161 0162";
    check(&[("3fe11f", &[], 0), (field, &["a: b"], 34), ("20 3fe11f 82", &[":method: GET"], 0)]);
    check(&[("3f03", &[], 0), (field, &["a: b"], 34), (field, &["a: b"], 34)]);
    check(&[("3f02", &[], 0), (field, &["a: b"], 0)]);
}

#[test]
fn a_huffman_error_is_one() {
    check_error("0081ff0161", DecodeError::Huffman);
}

#[test]
fn lines_stop_at_the_bound_and_the_table_goes_on() {
    // Three lines of 34 bytes, each inserted.
    let block = bytes("4001610162 4001630164 4001650166");
    for (list_max, visited) in [(0, 0), (33, 0), (34, 1), (67, 1), (68, 2), (101, 2), (102, 3), (103, 3)] {
        let mut decoder = Decoder::new(&NAMES);
        let mut count = 0;
        assert_eq!(decoder.decode(&block, list_max, &mut |_| count += 1), Ok(102));
        assert_eq!((count, decoder.entries.len()), (visited, 3), "{list_max}");
    }
}

#[test]
fn a_bomb_is_counted_and_costs_no_memory() {
    let mut decoder = Decoder::new(&NAMES);
    let mut block = bytes("400161");
    block.extend_from_slice(&[0x7f, 0xa1, 0x1e]);
    block.extend_from_slice(&[b'x'; 4000]);
    block.extend_from_slice(&[0xbe; 10_000]);
    let mut lines = 0;
    let size = decoder.decode(&block, 16_384, &mut |_| lines += 1);
    assert_eq!((size, lines), (Ok(10_001 * 4033), 4));
}

#[test]
fn the_generation_changes_with_the_table_only() {
    let mut decoder = Decoder::new(&NAMES);
    for (block, changes) in
        [("82", false), ("4001610162", true), ("be82", false), ("0001610162", false), ("3fe11f", true)]
    {
        let before = decoder.generation();
        decode_all(&mut decoder, &bytes(block)).unwrap();
        assert_eq!(decoder.generation() != before, changes, "{block}");
    }
}
