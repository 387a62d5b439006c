from reconciler.state.names import application_name, deployment_name


def test_names_have_no_character_that_ray_serve_dislikes() -> None:
    assert application_name("meta-llama/Llama-3.1-8B") == "meta-llama--Llama-3_1-8B"
    assert deployment_name("a/b") == "LLMServer:a--b"
