# Initial weights of encoders, as published. Another address or the completed hash repeats no download.
import re

if project.config.pretrained:

    rule fetch_pretrained:
        output:
            "<results>/pretrained/{weights}.safetensors",
        log:
            "<logs>/fetch_pretrained/{weights}.log",
        benchmark:
            "<benchmarks>/fetch_pretrained/{weights}.tsv"
        wildcard_constraints:
            weights="|".join(map(re.escape, project.config.pretrained)),
        retries: 0
        threads: 1
        resources:
            mem_mb=2000,
            runtime=60,
            gpu=0,
        params:
            decisive=decisive_params("fetch_pretrained"),
            context=context_params("fetch_pretrained"),
        message:
            "Fetching the weights {wildcards.weights}"
        script:
            "../scripts/fetch_pretrained.py"
